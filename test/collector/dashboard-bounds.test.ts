import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryTraceStore } from '../../src/collector/memory-trace-store.ts';
import { hasBrowser, startBrowser, type Visit, visit } from './dashboard-browser.ts';
import { chat, createSpan, startWorld, type World } from './dashboard-world.ts';

const rows = 'table.traces tbody tr';
const maxRows = 500;
const maxNames = 200;
const maxSpans = 2000;
const maxEventBytes = 262_144;

describe.skipIf(!hasBrowser)('what the dashboard keeps and draws is bounded:', () => {
  let browser: Browser;
  let world: World;
  let open: Visit | undefined;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterEach(async () => {
    await open?.close();
    await world?.stop();
  });
  afterAll(() => browser?.close());

  async function look(hash = ''): Promise<Visit> {
    open = await visit(browser, `${world.url}${hash}`);
    return open;
  }

  /** Traces of one span, one after the other, each of a service and a model of its own. */
  function sendTraces(from: number, count: number, name = (trace: number) => `trace ${trace}`): Promise<void> {
    const startMs = Date.now() - 60_000;
    const spans = Array.from({ length: count }, (_, i) => {
      const trace = from + i;
      const attributes = chat({ provider: 'acme', model: `model-${trace}`, input: 1, output: 1 });
      const parts = { trace, span: 1, at: trace, ms: 5, name: name(trace), service: `service-${trace}`, attributes };
      return createSpan(startMs, parts);
    });
    return world.send(spans);
  }

  it('500 rows, by pages, by arrivals and while paused, and 200 names of each kind to choose from', async () => {
    world = await startWorld();
    await sendTraces(1, maxRows + 100);
    const { page, problems } = await look();
    const older = page.getByRole('button', { name: 'Older traces' });
    for (let count = 50; count < maxRows; count += 50) {
      await page
        .locator(rows)
        .nth(count - 1)
        .waitFor();
      await older.click();
    }
    await page
      .locator(rows)
      .nth(maxRows - 1)
      .waitFor();
    await older.waitFor({ state: 'hidden' });
    const oldest = page.getByRole('link', { name: 'trace 101', exact: true });
    expect([await page.locator(rows).count(), await oldest.count()]).toEqual([maxRows, 1]);

    await page.getByText('Live', { exact: true }).waitFor();
    await sendTraces(1000, 1);
    await page.getByRole('link', { name: 'trace 1000' }).waitFor();
    expect([await page.locator(rows).count(), await oldest.count()]).toEqual([maxRows, 0]);

    await page.keyboard.press('l');
    // The feed tells of so many at once.
    for (let sent = 0; sent < maxRows + 20; sent += 40) {
      await sendTraces(2000 + sent, 40);
      await page.getByRole('button', { name: `Resume (${Math.min(sent + 40, maxRows)} new)` }).waitFor();
    }
    await page.getByRole('button', { name: `Resume (${maxRows} new)` }).click();
    await page.getByRole('link', { name: `trace ${2000 + maxRows + 19}` }).waitFor();
    expect(await page.locator(rows).count()).toBe(maxRows);
    // The first of those that came while paused made way for the last.
    expect(await page.getByRole('link', { name: 'trace 2019', exact: true }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'trace 2020', exact: true }).count()).toBe(1);

    for (const list of ['known-services', 'known-models']) {
      expect(await page.locator(`#${list} option`).count()).toBe(maxNames);
    }
    expect(problems).toEqual([]);
  });

  it('2,000 spans of a trace, and it says how many there are', async () => {
    world = await startWorld({ traces: createMemoryTraceStore({ maxSpansPerTrace: 5000 }) });
    const start = Date.now();
    const spans = Array.from({ length: maxSpans + 1 }, (_, i) => ({
      name: `step ${i}`,
      trace: 1,
      span: i,
      at: i,
      ms: 1,
    }));
    await world.send(spans.map((parts) => createSpan(start, parts)));
    const { page, problems } = await look(`#/trace/${(0xabc0001).toString(16).padStart(32, '5')}`);
    await page.getByText(`${maxSpans} of ${maxSpans + 1}`).waitFor();
    expect(await page.getByRole('treeitem').count()).toBe(maxSpans);
    expect(await page.getByRole('treeitem').last().getAttribute('aria-label')).toContain(`step ${maxSpans - 1},`);
    expect(problems).toEqual([]);
  });

  it('262,144 bytes of an event of the live feed, which goes on after a longer one', async () => {
    world = await startWorld();
    const { page, problems } = await look();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText('No traces yet').waitFor();
    await sendTraces(1, 1, () => `fits ${'x'.repeat(maxEventBytes - 1000)}`);
    await page.getByRole('link', { name: /^fits/ }).waitFor();
    await sendTraces(2, 1, () => `long ${'x'.repeat(maxEventBytes)}`);
    await sendTraces(3, 1, () => 'short again');
    await page.getByRole('link', { name: 'short again' }).waitFor();
    expect(await page.locator(rows).count()).toBe(2);
    expect(await page.getByRole('link', { name: /^long/ }).count()).toBe(0);
    expect(await page.locator('#link-state').textContent()).toBe('Live');
    expect(problems).toEqual([]);
  });
});
