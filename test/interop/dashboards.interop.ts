import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../support/build.ts';
import { buildPeer } from './collector/build.ts';
import {
  alertFigures,
  budgetsAndSlos,
  recordedFigures,
  targets,
  today,
  windowSeconds,
} from './dashboards/budget-figures.ts';
import { expectFigures } from './dashboards/expect-figures.ts';
import {
  agentsAndTools,
  type BoardFigures,
  costAndFirstToken,
  earlierRuns,
  evaluation,
  guardrails,
  llmPerformance,
  rangeSeconds,
  rateSeconds,
} from './dashboards/figures.ts';
import { type Seen, systemHealth } from './dashboards/health-figures.ts';
import { type History, type Labels, type Scrape, startHistory } from './dashboards/history.ts';
import { createLoad } from './dashboards/load.ts';
import { fill, type PanelQuery, panelQueries, readRules, variableQueries } from './dashboards/queries.ts';
import { rowsOf } from './dashboards/rows.ts';
import { type Figures, sumBy } from './dashboards/sums.ts';
import { isMissing } from './peer.ts';

const debian = isMissing('prometheus', ['--version']) || isMissing('promtool', ['--version']);
const built = await buildPeer('prometheus');
const rules = ['targets.yml', 'rules.yml'].flatMap(readRules);
const alerts = readRules('alerts.yml');
/** Of a month that is 10 days old. */
const scrapedMs = Date.UTC(2026, 5, today, 12);
/** So that all scrapes are within windows that do not contain their beginning. */
const slackMs = 5;
const askedMs = scrapedMs + slackMs - 2;

/** The load, and the pages that Prometheus would have scraped between its runs. */
async function scrapeLoad(): Promise<{ scrapes: Scrape[]; seen: Seen }> {
  const load = createLoad();
  const ages = [...Object.values(windowSeconds), 0];
  const scrapes: Scrape[] = [];
  let seen: Seen | undefined;
  for (let i = 1; i < earlierRuns; i++) await runOnce();
  async function runOnce() {
    const before = load.begin();
    const spans = await load.run();
    const page = await load.readPage();
    const activeTraces = page.traces + before.traces.size;
    seen = { spans, stored: page.stored, activeTraces, spansBefore: before.spans };
    return page.text;
  }
  for (const age of ages) {
    const page = await runOnce();
    scrapes.push({ page, atMs: scrapedMs - age * 1000 + (age > 0 ? slackMs : 0) });
  }
  await load.shutdown();
  return { scrapes, seen: seen! };
}

let loaded: Awaited<ReturnType<typeof scrapeLoad>>;
beforeAll(async () => {
  loaded = await scrapeLoad();
});

it('counts the expressions', () => {
  const numbers = {
    panels: panelQueries.length,
    variables: variableQueries.length,
    rules: rules.length,
    alerts: alerts.length,
  };
  console.log(`expressions: ${JSON.stringify(numbers)}, ${Object.values(numbers).reduce((sum, n) => sum + n)} in all`);
  expect(numbers.panels).toBeGreaterThan(100);
  expect(new Set(variableQueries.map(({ board }) => board)).size).toBe(7);
});

describe.skipIf(debian)('promtool', () => {
  const folder = join(root, 'dashboards', 'prometheus');
  const promtool = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  };
  it('finds the rules right', () => {
    const { status, output } = promtool('check', 'rules', 'targets.yml', 'rules.yml', 'alerts.yml');
    expect(output).not.toContain('FAILED');
    expect(status).toBe(0);
  });
  it('finds that they do what their tests say', () => {
    const { status, output } = promtool('test', 'rules', 'tests/budgets.yml', 'tests/days.yml', 'tests/alerts.yml');
    expect(output).not.toContain('FAILED');
    expect(status, output).toBe(0);
  });
});

describe.skipIf(debian)('Prometheus 2 (skipped where it is not installed)', () => shows('prometheus'));
describe.skipIf(debian || 'missing' in built)(`Prometheus 3${'missing' in built ? ` (${built.missing})` : ''}`, () =>
  shows('path' in built ? built.path : ''),
);

function shows(path: string): void {
  let history: History;
  const recorded = recordedFigures(rowsOf());

  beforeAll(async () => {
    history = await startHistory(path, loaded.scrapes);
    const target = (name: string, labels: Labels, value: number) => ({ labels: { __name__: name, ...labels }, value });
    const own = [
      target('up', { job: 'edgespan', instance: 'collector:8080' }, 1),
      target('up', { job: 'edgespan', instance: 'dead:8080' }, 0),
      target('edgespan:slo_error_ratio', { agent: 'research' }, targets.errorsOf.research),
      ...targets.usdOf.map(({ usd, ...labels }) => target('edgespan:cost_target_usd', labels, usd)),
    ];
    await history.write(own, askedMs);
  });
  afterAll(() => history?.stop());

  it('records what the rules say', async () => {
    for (const rule of rules) {
      const samples = await history.query(rule.expr, askedMs);
      const window = rule.labels?.window;
      const results = samples.map(({ labels, value }) => ({
        labels: { ...labels, ...rule.labels, __name__: rule.record! },
        value,
      }));
      const name = rule.record!.replace('edgespan:', '');
      const figures = recorded[name];
      expect(figures, `nobody has reckoned ${name}`).toBeDefined();
      const wanted = Object.entries(figures!).filter(([of]) => window === undefined || of === window);
      const all = Object.fromEntries(
        wanted.flatMap(([of, values]) => Object.entries(values).map(([key, value]) => [join2(key, of), value])),
      );
      expectFigures(rule.record!, results, all, true);
      await history.write(results, askedMs);
    }
  });

  describe.each([
    ['all services', undefined],
    ['one service', 'shop'],
  ])('of %s', (_, service) => {
    it.each(['week', 'month'] as const)('shows in every panel what the load was (%s)', async (window) => {
      const rows = rowsOf(service);
      const figures: Record<string, BoardFigures> = {
        'llm-performance': llmPerformance(rows),
        'agents-and-tools': agentsAndTools(rows),
        'cost-and-first-token': costAndFirstToken(rows),
        evaluation: evaluation(rows),
        guardrails: guardrails(rows),
        'budgets-and-slos': budgetsAndSlos(rows, service ? recordedOf(service) : recorded, window),
        // Much of it is not about a service.
        ...(service === undefined && { 'system-health': systemHealth(rows, loaded.seen) }),
      };
      let asked = 0;
      for (const [board, panels] of Object.entries(figures)) {
        const queries = panelQueries.filter((query) => query.board === board);
        expect(new Set(queries.map(({ title }) => title)), board).toEqual(new Set(Object.keys(panels)));
        for (const [title, wanted] of Object.entries(panels)) {
          const ofPanel = queries.filter((query) => query.title === title);
          expect(ofPanel.length, `${board} / ${title}`).toBe(wanted.length);
          for (const [i, query] of ofPanel.entries()) {
            await check(query, wanted[i]!, { window, ...(service && { service }) }, service === undefined);
            asked++;
          }
        }
      }
      if (service === undefined) expect(asked).toBe(panelQueries.length);
    });
  });

  function recordedOf(service: string) {
    const mine = (figures: Figures) =>
      Object.fromEntries(Object.entries(figures).filter(([key]) => key.split(',').includes(`service=${service}`)));
    return Object.fromEntries(
      Object.entries(recorded).map(([name, windows]) => [
        name,
        Object.fromEntries(Object.entries(windows).map(([window, figures]) => [window, mine(figures)])),
      ]),
    );
  }

  async function check({ board, title, refId, expr }: PanelQuery, wanted: Figures, values: Labels, isAll: boolean) {
    const samples = await history.query(fillRanges(expr, values), askedMs);
    expectFigures(`${board} / ${title} / ${refId}`, samples, wanted, isAll);
  }

  it('has variables that choose: of nobody there is nothing', async () => {
    for (const { board, title, expr } of panelQueries) {
      for (const [, name] of expr.matchAll(/\$(service|environment|provider|model|agent)\b/g)) {
        const samples = await history.query(fillRanges(expr, { window: 'month', [name!]: 'nobody' }), askedMs);
        expect(samples, `${board} / ${title} / ${name}`).toEqual([]);
      }
    }
  });

  it('has variables wherever the series have their labels', async () => {
    const filters = ['service', 'environment', 'provider', 'model', 'agent'];
    const selectors = panelQueries.flatMap(({ expr }) => expr.match(/[a-z][\w:]*\{[^}]*\}|\bedgespan_\w+/g) ?? []);
    for (const selector of new Set(selectors)) {
      const name = selector.replace(/\{.*/, '');
      const series = await history.get<Labels[]>('series', {
        'match[]': name,
        start: String(scrapedMs / 1000 - 60),
        end: String(askedMs / 1000),
      });
      expect(series.length, name).toBeGreaterThan(0);
      const labels = filters.filter((label) => series.some((one) => one[label]));
      for (const label of labels) expect(selector).toContain(`${label}=~"$${label}"`);
    }
  });

  it('offers in every variable what the load had', async () => {
    const { calls } = rowsOf();
    for (const { name, query } of variableQueries) {
      const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(query)!;
      expect(label).toBe(name);
      const values = await history.get<string[]>(`label/${label}/values`, {
        'match[]': fill(series!, {}),
        start: String(scrapedMs / 1000 - 60),
        end: String(askedMs / 1000),
      });
      const wanted = Object.keys(sumBy(calls, label!)).map((key) => key.split('=')[1]);
      expect(values).toEqual(wanted.filter(Boolean).toSorted());
    }
  });

  it('fires every alert', async () => {
    const figures = alertFigures(rowsOf(), recorded);
    expect(alerts.map(({ alert }) => alert).toSorted()).toEqual(Object.keys(figures).toSorted());
    for (const { alert, expr } of alerts) {
      const samples = await history.query(expr, askedMs);
      expect(samples.length, alert).toBeGreaterThan(0);
      expect(samples.length, alert).toBe(Object.keys(figures[alert!]!).length);
      expectFigures(alert!, samples, figures[alert!]!, true);
    }
  });
}

function fillRanges(expr: string, values: Labels): string {
  const ranges = { __range: `${rangeSeconds}s`, __rate_interval: `${rateSeconds}s` };
  return fill(expr, { ...ranges, ...values });
}

function join2(key: string, window: string): string {
  const pairs = [...key.split(','), window && `window=${window}`].filter(Boolean);
  return pairs.toSorted().join();
}
