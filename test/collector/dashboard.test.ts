import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { faintTexts, hasBrowser, overflow, shoot, startBrowser, type Visit, visit } from './dashboard-browser.ts';
import { agentTrace, chat, createSpan, failedTrace, startWorld, type World } from './dashboard-world.ts';

const narrow: BrowserContextOptions = { viewport: { width: 360, height: 740 } };
const dark: BrowserContextOptions = { colorScheme: 'dark' };
const agentId = (0xabc0001).toString(16).padStart(32, '5');
const rows = 'table.traces tbody tr';

describe.skipIf(!hasBrowser)('the dashboard in Chromium', () => {
  let browser: Browser;
  let world: World;
  let open: Visit[] = [];
  beforeAll(async () => {
    [browser, world] = await Promise.all([startBrowser(), startWorld()]);
    await world.fill(60);
  });
  afterEach(async () => {
    await Promise.all(open.map((each) => each.close()));
    open = [];
  });
  afterAll(async () => {
    await browser?.close();
    await world?.stop();
  });

  async function look(hash = '', options: BrowserContextOptions = {}, at = world): Promise<Visit> {
    const made = await visit(browser, `${at.url}${hash}`, options);
    open.push(made);
    return made;
  }

  it('lists the newest traces, asks nobody else and breaks no rule of its policy', async () => {
    const { page, problems, asked } = await look();
    await page.locator(rows).nth(49).waitFor();
    const first = page.locator(rows).first();
    expect(await first.locator('td').count()).toBe(8);
    expect(await page.locator('#link-state').textContent()).toBe('Live');
    expect(await overflow(page)).toBe(0);
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, 'list');
    await page.getByRole('button', { name: 'Older traces' }).click();
    await page.locator(rows).nth(99).waitFor();
    expect(problems).toEqual([]);
    expect(asked.filter((address) => !address.startsWith(world.url) && !address.startsWith('data:'))).toEqual([]);
  });

  it('narrows the list by what is typed, and an address that is shared says the same', async () => {
    const { page } = await look();
    await page.locator(rows).first().waitFor();
    await page.getByLabel('Service').fill('docs-search');
    await page.getByLabel('Status').selectOption('error');
    await page.waitForURL('**/#/traces?service=docs-search&status=error');
    await expect.poll(() => page.locator(`${rows}:not(.failed)`).count()).toBe(0);
    const services = await page.locator(`${rows} td.service`).allTextContents();
    expect(new Set(services)).toEqual(new Set(['docs-search']));
    const { page: other } = await look(new URL(page.url()).hash);
    await other.locator(rows).first().waitFor();
    expect(await other.locator(rows).count()).toBe(services.length);
    expect(await other.getByLabel('Service').inputValue()).toBe('docs-search');
    await other.getByLabel('Min. $').fill('900');
    await other.getByText('No trace matches').waitFor();
    await shoot(other, 'no-match');
    await other.getByRole('button', { name: 'Clear the filters' }).click();
    await other.locator(rows).nth(49).waitFor();
  });

  it('shows a trace that arrives, and holds it back while paused', async () => {
    const { page } = await look('#/traces?min_duration_ms=50000');
    await page.getByText('Live').waitFor();
    await page.getByText('No trace matches').waitFor();
    await world.send([createSpan(Date.now(), { name: 'slow one', trace: 5001, span: 1, at: 0, ms: 60_000 })]);
    await page.getByRole('link', { name: 'slow one' }).waitFor();
    await page.keyboard.press('l');
    await world.send([createSpan(Date.now(), { name: 'quick one', trace: 5002, span: 1, at: 0, ms: 10 })]);
    await world.send([createSpan(Date.now(), { name: 'later one', trace: 5003, span: 1, at: 0, ms: 70_000 })]);
    await page.getByRole('button', { name: 'Resume (1 new)' }).click();
    await page.getByRole('link', { name: 'later one' }).waitFor();
    expect(await page.locator(rows).count()).toBe(2);
  });

  it('draws a trace as a waterfall, with first tokens, sums and what was said', async () => {
    const { page, problems } = await look(`#/trace/${agentId}`);
    const spans = page.getByRole('treeitem');
    await spans.nth(6).waitFor();
    const levels = await spans.evaluateAll((all) => all.map((span) => span.getAttribute('aria-level')));
    expect(levels).toEqual(['1', '2', '3', '3', '4', '3', '3']);
    expect(await page.locator('.first-token').count()).toBe(2);
    expect((await page.locator('.facts').innerText()).replace(/\s+/g, ' ')).toMatch(
      /Spans 7 Errors 0 Tokens 2,765 Cost \$0\.0079 Services shop-api, orders Models gpt-4o/,
    );
    await shoot(page, 'trace');
    await spans.nth(2).click();
    const details = page.getByRole('complementary');
    expect(
      await details.locator('.said').evaluateAll((all) => all.map((one) => one.getAttribute('data-role'))),
    ).toEqual(['system', 'user', 'assistant']);
    expect(await details.innerText()).toContain('Where is my order A-1042?\nIt was due yesterday.');
    expect(await details.locator('.piece.call').innerText()).toContain('find_order');
    expect(new URL(page.url()).hash).toMatch(/\?span=7+/);
    expect(await overflow(page)).toBe(0);
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, 'span');
    expect(problems).toEqual([]);
  });

  it('adds what arrives to the trace that is looked at', async () => {
    const start = Date.now();
    await world.send([createSpan(start, { name: 'begun', trace: 5300, span: 1, at: 0, ms: 40 })]);
    const { page } = await look(`#/trace/${(0xabc0000 + 5300).toString(16).padStart(32, '5')}`);
    await page.getByText('Live').waitFor();
    await page.getByRole('treeitem').click();
    await world.send([createSpan(start, { name: 'more', trace: 5300, span: 2, parent: 1, at: 5, ms: 20 })]);
    await page.getByRole('treeitem', { name: 'more' }).waitFor();
    expect(await page.getByRole('heading', { level: 2 }).first().textContent()).toBe('begun');
  });

  it('says that it waits for an answer', async () => {
    const { page } = await look('#/charts');
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/v1/traces?*', async (route) => {
      await held;
      await route.continue();
    });
    await page.keyboard.press('t');
    await page.getByRole('status', { name: 'Loading traces' }).waitFor();
    await shoot(page, 'loading');
    answer();
    await page.locator(rows).nth(49).waitFor();
    expect(await page.getByRole('status', { name: 'Loading traces' }).count()).toBe(0);
  });

  it('marks what failed', async () => {
    await world.send(failedTrace(5100, Date.now()));
    const { page } = await look('#/traces?status=error');
    await page.locator(rows).first().getByRole('link').click();
    await page.getByRole('treeitem').nth(1).click();
    expect(await page.locator('.failure').innerText()).toContain('429');
    expect(await page.getByRole('complementary').innerText()).toContain('RateLimitError');
    expect(await page.locator('.span-row.failed').count()).toBe(3);
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, 'failed');
  });

  it('is used by keyboard alone', async () => {
    const { page } = await look('#/traces?service=orders');
    await page.locator(rows).nth(2).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
    await shoot(page, 'help');
    await page.keyboard.press('Escape');
    for (const key of ['j', 'j', 'k', 'j']) await page.keyboard.press(key);
    const focused = () => page.evaluate(() => document.activeElement?.closest('tr')?.dataset.id);
    const id = await page.locator(rows).nth(1).getAttribute('data-id');
    expect(await focused()).toBe(id);
    await page.keyboard.press('Enter');
    await page.getByRole('treeitem').nth(6).waitFor();
    for (const key of ['j', 'j', 'ArrowLeft']) await page.keyboard.press(key);
    expect(await page.getByRole('treeitem').count()).toBe(2);
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'Enter']) await page.keyboard.press(key);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('chat gpt-4o');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('complementary').isHidden()).toBe(true);
    await page.keyboard.press('Escape');
    await page.locator(rows).nth(2).waitFor();
    expect(page.url()).toMatch(/service=orders$/);
    expect(await focused()).toBe(id);
    await page.keyboard.press('/');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('service');
    await page.keyboard.press('j');
    expect(await page.getByLabel('Service').inputValue()).toContain('j');
  });

  it('lets Tab reach all that can be done, and shows where it is', async () => {
    const { page } = await look('#/traces?service=orders');
    await page.locator(rows).nth(2).waitFor();
    const seen: string[] = [];
    for (let i = 0; i < 16; i++) {
      await page.keyboard.press('Tab');
      const [name, outline] = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const drawn = element.matches('.traces a') ? getComputedStyle(element, '::after') : getComputedStyle(element);
        const label = element.getAttribute('aria-label') ?? element.getAttribute('name') ?? element.innerText;
        return [label, drawn.outlineStyle];
      });
      expect(`${name} ${outline}`).toMatch(/(solid|auto)$/);
      seen.push(name!);
    }
    expect(seen.slice(0, 14)).toEqual([
      ...['Skip to content', 'edgespan, traces', 'Traces', 'Charts', 'API key', 'Dark colours', 'Keyboard'],
      ...['service', 'model', 'status', 'min_duration_ms', 'min_cost_usd', 'Clear', 'Pause'],
    ]);
  });

  it('draws charts, and lines go and come', async () => {
    const { page, problems } = await look('#/charts?by=service');
    await page.locator('.chart canvas').nth(5).waitFor();
    const names = await page.locator('.groups tbody .name').allTextContents();
    expect(names.sort()).toEqual(['docs-search', 'mail-triage', 'shop-api']);
    expect(await page.locator('.tile b').allTextContents()).not.toContain('0');
    await page
      .locator('.chart')
      .first()
      .hover({ position: { x: 300, y: 100 } });
    await expect.poll(() => page.locator('.tip:visible').innerText()).toContain('shop-api');
    expect(await page.getByRole('meter', { name: 'team' }).getAttribute('aria-valuetext')).toBe('$41.20 of $50.00');
    await shoot(page, 'charts');
    await page.getByRole('checkbox', { name: 'shop-api' }).uncheck();
    await expect.poll(() => page.locator('.plot').first().getAttribute('aria-label')).not.toContain('shop-api');
    await page.getByRole('link', { name: 'model' }).click();
    await page.getByText('claude-haiku-4-5').waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, 'charts-model');
    await page.getByRole('link', { name: '24 h' }).click();
    await page.waitForURL('**/#/charts?by=model&window=1440&latency=p95');
    await expect.poll(() => page.locator('.tile b').first().textContent()).toMatch(/^\d{3}$/);
    await shoot(page, 'charts-day');
    expect(problems).toEqual([]);
  });

  it('is dark where the system is, and for who chose it', async () => {
    const { page, problems } = await look(`#/trace/${agentId}?span=${(1003).toString(16).padStart(16, '7')}`, dark);
    await page.locator('.said').first().waitFor();
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, 'dark-trace');
    await page.keyboard.press('c');
    await page.locator('.chart canvas').nth(5).waitFor();
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, 'dark-charts');
    await page.keyboard.press('t');
    await page.locator(rows).first().waitFor();
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, 'dark-list');
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const before = await background();
    await page.getByRole('button', { name: 'Dark colours' }).click();
    expect(await background()).not.toBe(before);
    await page.reload();
    expect(await background()).not.toBe(before);
    expect(problems).toEqual([]);
  });

  it.each([
    ['list', '#/traces', rows],
    ['trace', `#/trace/${agentId}?span=${(1003).toString(16).padStart(16, '7')}`, '.said'],
    ['charts', '#/charts', '.chart canvas'],
  ])('fits a window of 360 px: %s', async (name, hash, shown) => {
    const { page } = await look(hash, narrow);
    await page.locator(shown).first().waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, `narrow-${name}`);
    if (name === 'list') await page.getByRole('button', { name: 'Filters' }).click();
    else await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    expect(await overflow(page)).toBe(0);
    await shoot(page, `narrow-${name}-more`);
  });

  it('shows as text whatever spans are named', async () => {
    const canaries = ['<img src=x onerror=alert(1)>', '"><script>alert(2)</script>', "javascript:alert('3')"];
    const [img, script, scheme] = canaries as [string, string, string];
    const call = chat(
      { provider: scheme, model: script, input: 1, output: 1, costUsd: 1 },
      {
        [img]: script,
        'gen_ai.input.messages': JSON.stringify([{ role: img, parts: [{ type: script, name: img, content: scheme }] }]),
        'gen_ai.agent.name': img,
        'edgespan.output': img,
      },
    );
    const start = Date.now() + 5000;
    const events = [{ name: script, time: [start / 1000, 0] as [number, number], attributes: { [script]: img } }];
    const parts = { trace: 5200, span: 1, at: 0, ms: 5, error: img, attributes: call, events };
    await world.send([createSpan(start, { ...parts, name: img, service: script })]);
    const { page, problems } = await look();
    await page.getByRole('link', { name: img }).click();
    await page.getByRole('treeitem').click();
    const shown = await page.locator('body').innerText();
    for (const canary of canaries) expect(shown).toContain(canary);
    await page.goto(`${world.url}#/charts?by=agent`);
    await page.getByText(img).first().waitFor();
    expect(await page.locator('img, main script, a[href^=javascript]').count()).toBe(0);
    expect(problems).toEqual([]);
  });
});

describe.skipIf(!hasBrowser)('the dashboard of a collector', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  it('says how to begin where there is nothing yet', async () => {
    const world = await startWorld();
    const { page } = await visit(browser, world.url);
    await page.getByText('No traces yet').waitFor();
    expect(await page.locator('.notice').innerText()).toContain(
      `OTEL_EXPORTER_OTLP_ENDPOINT=${world.url.slice(0, -1)}`,
    );
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, 'empty');
    await page.keyboard.press('c');
    await page.getByText('Nothing in this time').first().waitFor();
    expect(await page.getByRole('table').count()).toBe(0);
    await shoot(page, 'empty-charts');
    await page.keyboard.press('t');
    await world.send(agentTrace(1, Date.now() - 5000));
    await page.getByRole('link', { name: 'POST /support' }).waitFor();
    await page.goto(`${world.url}#/trace/${'e'.repeat(32)}`);
    await page.getByText('Not found').waitFor();
    await world.stop();
  });

  it('says that the collector is gone, and goes on when it is back', async () => {
    const world = await startWorld();
    await world.send(agentTrace(1, Date.now() - 5000));
    const { page } = await visit(browser, world.url);
    await page.locator(rows).waitFor();
    await world.stop();
    await page.getByText('Reconnecting').waitFor();
    await page.getByLabel('Service').fill('shop');
    await page.getByText('No connection').waitFor();
    expect(await page.locator(rows).count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Try again' }).isVisible()).toBe(true);
    await shoot(page, 'gone');
    await world.restart();
    await page.getByText('No trace matches').waitFor();
    await page.getByText('Live').waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.locator(rows).waitFor();
    await world.stop();
  });

  it('asks for a key, sends it, and shows no more than that tenant’s', async () => {
    const world = await startWorld({ keys: { 'key-a': 'a', 'key-b': 'b' } });
    await world.send(agentTrace(1, Date.now() - 5000), { 'x-api-key': 'key-a' });
    const { page } = await visit(browser, world.url);
    await page.getByText('A key is needed', { exact: true }).waitFor();
    await shoot(page, 'key');
    for (const [key, seen] of [
      ['key-b', 'No traces yet'],
      ['key-a', 'POST /support'],
    ] as const) {
      await page.getByRole('button', { name: 'API key' }).click();
      await page.getByLabel('Key', { exact: true }).fill(key);
      await page.keyboard.press('Enter');
      await page.getByText(seen).waitFor();
    }
    expect(await page.locator('#link-state').textContent()).toBe('Live');
    await world.stop();
  });
});
