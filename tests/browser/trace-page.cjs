// What a person does with the page of `weir trace -html`: looks, points, chooses, moves with the keys.
//
//   node trace-page.cjs PAGE [FOLDER]     FOLDER: also save pictures there
//
// PAGE is of a trace of tests/programs/traced.
'use strict';
const assert = require('node:assert/strict');
const { run } = require('./page-test.cjs');
const [page_file, folder] = process.argv.slice(2);

// Of two colours as CSS writes them: WCAG's contrast.
function contrast(one, other) {
  const light = colour => {
    const [r, g, b] = colour.match(/\d+/g).map(n => n / 255).map(c => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

run(async page => {
  const picture = name => folder && page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  const detail = () => page.locator('#detail').textContent();
  const data = () => page.locator('#data').textContent().then(JSON.parse);

  await page.goto('file://' + page_file);
  const all = await data();
  assert.match(await page.locator('#heat-title').textContent(), /^scheduling: [\d,]+ waits over time/);
  assert.equal(+(await page.locator('#heat').getAttribute('data-cells')), all.kinds[0].heat.cells.length);
  assert.equal(await page.locator('#kinds tbody tr').count(), all.kinds.length);
  assert.equal(await page.locator('#lanes text title').count(), all.lanes.length);
  await picture('trace');

  // Another kind: its row is marked, and its heat map drawn.
  await page.locator('#kinds button', { hasText: /^sync\.Mutex$/ }).click();
  assert.match(await page.locator('#heat-title').textContent(), /^sync\.Mutex: /);
  assert.equal(await page.locator('tr.shown button').textContent(), 'sync.Mutex');

  // The keyboard goes from cell to cell, and every cell says what it is.
  await page.locator('#heat').focus();
  await page.keyboard.press('Home');
  const first = await detail();
  assert.match(first, /^sync\.Mutex: [\d,]+ waits? of .* that ended from [\d.]+s to [\d.]+s\nweir trace -window [\d.]+s,[\d.]+s -min \d/);
  await page.keyboard.press('End');
  assert.notEqual(await detail(), first);
  await page.keyboard.press('ArrowLeft');
  assert.match(await detail(), /^sync\.Mutex: /);

  // Pointing at the same cell tells the same.
  const cursor = await page.locator('#heat .cursor').boundingBox();
  const by_key = await detail();
  await page.locator('#heat').hover({ position: { x: 1, y: 1 } });
  await page.mouse.move(cursor.x + cursor.width / 2, cursor.y + cursor.height / 2);
  assert.equal(await detail(), by_key);

  // The timeline: from bar to bar, and from goroutine to goroutine.
  await page.locator('#lanes').focus();
  await page.keyboard.press('Home');
  assert.match(await detail(), new RegExp(`^goroutine ${all.lanes[0].goroutine} `));
  await page.keyboard.press('ArrowRight');
  assert.match(await detail(), /from [\d.]+s to [\d.]+s/);
  await page.keyboard.press('ArrowDown');
  assert.match(await detail(), new RegExp(`^goroutine ${all.lanes[1].goroutine} `));
  const lane = all.lanes.findIndex(l => l.count.some(n => n > 1));
  assert(lane >= 0, 'nothing is merged');
  assert.match(await page.locator('#lanes-note').textContent(), /^[\d,]+ of [\d,]+ intervals are shorter than /);
  await page.keyboard.press('Home');
  for (let i = 0; i < lane - 1; i++) await page.keyboard.press('ArrowDown');
  if (lane === 0) await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Home');
  for (let i = 0; i < all.lanes[lane].count.findIndex(n => n > 1); i++) await page.keyboard.press('ArrowRight');
  assert.match(await detail(), /: [\d,]+ short intervals as one, .*: .+ [\d.]+ (ns|µs|ms|s)/);
  await picture('trace-bar');

  // The legend sets one state off, and takes that back.
  const running = page.locator('#legend button', { hasText: /^running$/ });
  await running.click();
  assert.equal(await running.getAttribute('aria-pressed'), 'true');
  assert(await page.locator('#lanes path.dim').count() > 0);
  assert.equal(await page.locator('#lanes path.dim[data-state=running]').count(), 0);
  await running.click();
  assert.equal(await page.locator('#lanes path.dim').count(), 0);

  // Readable in the light and in the dark.
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const [ground, ...texts] = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor,
      ...['body', 'p', 'th', 'footer'].map(e => getComputedStyle(document.querySelector(e)).color),
      ...['.soft', 'text:not(.soft)'].map(e => getComputedStyle(document.querySelector('#lanes ' + e)).fill)]);
    for (const text of texts) assert(contrast(ground, text) >= 4.5, `${text} on ${ground}, ${colorScheme}`);
    const cells = await page.locator('#heat path[style]').evaluateAll(all => all.map(e => getComputedStyle(e).fill));
    for (const cell of cells) assert(contrast(ground, cell) >= 2.9, `cell ${cell} on ${ground}, ${colorScheme}`);
    await picture('trace-' + colorScheme);
  }

  // A narrow window: nothing fails, and all lanes are still there.
  await page.setViewportSize({ width: 700, height: 600 });
  assert.equal(await page.locator('#lanes text title').count(), all.lanes.length);
});
