// What a person does with the page of `weir prof -html`: looks, clicks, searches, filters, types.
//
//   node flame-page.cjs PAGE DIFFERENCE [FOLDER]     FOLDER: also save pictures there
//
// PAGE is of tests/programs/profiled's CPU profile, DIFFERENCE of two of them.
'use strict';
const assert = require('node:assert/strict');
const { run } = require('./page-test.cjs');
const [page_file, difference, folder] = process.argv.slice(2);

run(async page => {
  const picture = name => folder && page.screenshot({ path: `${folder}/${name}.png` });
  const zoom = () => page.locator('#graph').evaluate(e => +e.dataset.zoom);
  const box = name => page.locator('.box:not(.above)', { hasText: new RegExp(`^${name}$`) }).first();
  const width = locator => locator.evaluate(e => e.getBoundingClientRect().width);

  await page.goto('file://' + page_file);
  const all = await page.locator('.box').count();
  assert(all > 10, `${all} boxes`);
  assert.match(await page.locator('#title').textContent(), /cpu: [\d.]+(ms|s)$/);
  await picture('whole');

  // A click zooms: the box takes the whole width, its callers stay below it, and its path is told.
  const whole = await width(page.locator('#graph'));
  const before = await width(box('main.hash'));
  assert(before < whole * 0.95, `main.hash is ${before} of ${whole} wide`);
  await box('main.hash').click();
  assert.notEqual(await zoom(), 0);
  assert(Math.abs(await width(box('main.hash')) - whole) < 2);
  assert(await page.locator('.box.above').count() > 2);
  assert.match(await page.locator('#path').textContent(), /main\.main › .*main\.hash$/);
  await picture('zoomed');
  const deep = await zoom();
  await page.keyboard.press('Escape');
  const back = await zoom();
  assert(back < deep, 'Escape goes to the caller');
  await page.locator('#reset').click();
  assert.equal(await zoom(), 0);
  assert.equal(await page.locator('.box').count(), all);

  // Search: / goes there, what does not match is dimmed, and how much matches is told.
  await page.keyboard.press('/');
  await page.keyboard.type('^main\\.hash$');
  assert.match(await page.locator('#found').textContent(), /^1 box matches, (?!0\.00)[\d.]+%$/);
  assert.equal(await page.locator('.box:not(.miss)').count(), 1);
  assert.equal(await page.locator('.box:not(.miss)').textContent(), 'main.hash');
  await picture('searched');
  await page.locator('#search').fill('main\\.');
  assert.equal(await page.locator('#found').textContent().then(t => parseInt(t, 10)), await page.locator('.box:not(.miss)').count());
  await page.locator('#search').fill('(');
  assert.equal(await page.locator('#found').textContent(), 'not a regular expression');
  await page.locator('#search').press('Escape');
  assert.equal(await page.locator('.box.miss').count(), 0);

  // A label's value: boxes have the width of what carries it, and say how much that is.
  const amounts = () => box('root').getAttribute('title').then(t => t.match(/[\d.]+m?s/g).map(x => parseFloat(x) * (x.endsWith('ms') ? 1 : 1000)));
  assert.equal((await amounts()).length, 1);
  await page.locator('#label').selectOption({ label: 'handler: /orders' });
  const [everything, orders] = await amounts();
  assert(orders > 0 && orders < everything, `${orders} of ${everything}`);
  assert.match(await box('root').getAttribute('title'), /with handler: \/orders: /);
  await picture('labelled');
  await page.locator('#label').selectOption({ label: 'all labels' });
  assert.equal(await page.locator('.box').count(), all);

  // Keys: from the root to what it calls, zoom by Enter, upside down by i.
  await box('root').focus();
  await page.keyboard.press('ArrowUp');
  const child = await page.evaluate(() => +document.activeElement.dataset.i);
  assert.equal(child, 1);
  assert.match(await page.locator('#path').textContent(), /, [\d.]+% of all/);
  await page.keyboard.press('Enter');
  assert.equal(await zoom(), 1);
  await page.keyboard.press('Escape');
  const top = () => box('root').evaluate(e => parseFloat(e.style.top));
  assert.notEqual(await top(), 0);
  await page.keyboard.press('i');
  assert.equal(await top(), 0);
  await picture('inverted');

  // A difference: red, blue, and neither.
  await page.goto('file://' + difference);
  const hues = await page.locator('.box').evaluateAll(all => all.map(e => {
    const [r, , b] = getComputedStyle(e).backgroundColor.match(/\d+/g).map(Number);
    return Math.sign(r - b);
  }));
  assert(hues.includes(1) || hues.includes(-1), 'no colour tells a change');
  assert.match(await page.locator('#remarks').textContent(), /red is more/);
  await picture('difference');
});
