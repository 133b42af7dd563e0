// What the tests of weir's pages share: a browser, and a page in it that may fetch nothing and must not fail.
// Exit code 77, with the reason, where there is no browser or no playwright-core (tools/setup browser).
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');

function skip(reason) {
  console.log(reason);
  process.exit(77);
}

// Calls test(page). Ends the process: 0 if the page did what the test wants.
exports.run = async function (test) {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(f => fs.existsSync(f));
  if (!executablePath) skip('no Chromium here (tools/setup browser)');
  let playwright;
  try {
    playwright = require('playwright-core');
  } catch {
    skip('no playwright-core here (tools/setup browser)');
  }
  let browser;
  try {
    browser = await playwright.chromium.launch({ executablePath, args: ['--no-sandbox'] });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const failures = [];
    page.on('pageerror', error => failures.push(error.message));
    page.on('request', request => request.url().startsWith('file:') || failures.push('fetches ' + request.url()));
    await test(page);
    assert.deepEqual(failures, []);
    console.log('the page works');
  } catch (error) {
    console.log(error.stack);
    process.exitCode = 1;
  } finally {
    await browser?.close();
  }
};
