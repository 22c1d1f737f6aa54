import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { beforeAll, describe, it } from 'vitest';
import { budgetStoreContract } from '../suites/budget-store.ts';
import { metricStoreContract } from '../suites/metric-store.ts';
import type { SuiteResult } from '../suites/suite.ts';
import { root } from '../support/build.ts';
import { bundleFile } from '../support/bundle.ts';
import { startChild } from '../support/child.ts';
import { budgetKvCases } from './deno-kv-budget-cases.ts';
import { metricKvCases } from './deno-kv-metric-cases.ts';

const deno = join(root, 'node_modules', '.bin', 'deno');
const missing = !process.env.CI && spawnSync(deno, ['--version']).status !== 0;

/** Each case in a KV of its own: another database in memory, or another prefix of one file. */
const program = `
  import { createDenoKvBudgetStore, createDenoKvMetricStore } from 'edgespan/deno';
  import { budgetStoreContract } from './test/suites/budget-store.ts';
  import { metricStoreContract } from './test/suites/metric-store.ts';
  import { budgetKvCases } from './test/runtimes/deno-kv-budget-cases.ts';
  import { metricKvCases } from './test/runtimes/deno-kv-metric-cases.ts';

  const path = Deno.env.get('KV_PATH');
  const kv = await Deno.openKv(path);
  let count = 0;
  const stores = (create) => async (options) => create(kv, { ...options, prefix: String(count++) });
  const all = [
    ...metricStoreContract.map(({ name, run }) => ['metrics: ' + name, () => run(stores(createDenoKvMetricStore))]),
    ...budgetStoreContract.map(({ name, run }) => ['budgets: ' + name, () => run(stores(createDenoKvBudgetStore))]),
    ...[...metricKvCases, ...budgetKvCases].map(({ name, run }) => [name, async () => {
      const own = await Deno.openKv(path === ':memory:' ? path : path + count++);
      await run(own);
      own.close();
    }]),
  ];
  for (const [name, run] of all) {
    try {
      await run();
      console.log(JSON.stringify({ name }));
    } catch (error) {
      console.log(JSON.stringify({ name, error: String(error?.stack ?? error) }));
    }
  }
  kv.close();
`;

const names = [
  ...metricStoreContract.map(({ name }) => `metrics: ${name}`),
  ...budgetStoreContract.map(({ name }) => `budgets: ${name}`),
  ...[...metricKvCases, ...budgetKvCases].map(({ name }) => name),
];

describe.skipIf(missing).each(['memory', 'file'])('stores in Deno KV, %s (skipped without deno)', (where) => {
  const results = new Map<string, SuiteResult>();
  let failure: unknown;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgespan-kv-'));
    const file = await bundleFile('deno-kv', program);
    const child = startChild('deno', file, { KV_PATH: where === 'memory' ? ':memory:' : join(folder, 'kv') });
    const { code, stderr } = await child.ended;
    for (const line of child.lines.filter((one) => one.startsWith('{'))) {
      const result = JSON.parse(line) as SuiteResult;
      results.set(result.name, result);
    }
    if (code !== 0) failure = stderr;
    rmSync(folder, { recursive: true });
  });
  it.each(names)('%s', (name) => {
    const result = results.get(name);
    if (!result) throw new Error(`did not run: ${failure ?? 'no result'}`);
    if (result.error !== undefined) throw new Error(result.error);
  });
});
