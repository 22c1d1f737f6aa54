import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe } from 'vitest';
import { budgetStoreContract } from '../suites/budget-store.ts';
import { metricStoreContract } from '../suites/metric-store.ts';
import { root } from '../support/build.ts';
import { bundleFile } from '../support/bundle.ts';
import { startChild } from '../support/child.ts';
import { itPasses, tellLines } from '../support/results.ts';
import { budgetKvCases } from './deno-kv-budget-cases.ts';
import { metricKvCases } from './deno-kv-metric-cases.ts';

const deno = join(root, 'node_modules', '.bin', 'deno');
const missing = !process.env.CI && spawnSync(deno, ['--version']).status !== 0;

/** Each case in a KV of its own: another database in memory, or another prefix of one file. */
const program = `
  import { createDenoKvBudgetStore, createDenoKvMetricStore } from 'edgespan/deno';
  import { budgetStoreContract } from './test/suites/budget-store.ts';
  import { metricStoreContract } from './test/suites/metric-store.ts';
  import { runCases } from './test/suites/suite.ts';
  import { budgetKvCases } from './test/runtimes/deno-kv-budget-cases.ts';
  import { metricKvCases } from './test/runtimes/deno-kv-metric-cases.ts';

  const path = Deno.env.get('KV_PATH');
  const kv = await Deno.openKv(path);
  let count = 0;
  const stores = (create) => async (options) => create(kv, { ...options, prefix: String(count++) });
  const contract = (what, cases, create) =>
    cases.map(({ name, run }) => ({ name: what + ': ' + name, run: () => run(stores(create)) }));
  const all = [
    ...contract('metrics', metricStoreContract, createDenoKvMetricStore),
    ...contract('budgets', budgetStoreContract, createDenoKvBudgetStore),
    ...[...metricKvCases, ...budgetKvCases].map(({ name, run }) => ({ name, run: async () => {
      const own = await Deno.openKv(path === ':memory:' ? path : path + count++);
      await run(own);
      own.close();
    } })),
  ];
  await runCases(all, (result) => console.log(JSON.stringify(result)));
  kv.close();
`;

const names = [
  ...metricStoreContract.map(({ name }) => `metrics: ${name}`),
  ...budgetStoreContract.map(({ name }) => `budgets: ${name}`),
  ...[...metricKvCases, ...budgetKvCases].map(({ name }) => name),
];

describe.skipIf(missing).each(['memory', 'file'])('stores in Deno KV, %s (skipped without deno)', (where) => {
  itPasses(names, async (tell) => {
    const folder = mkdtempSync(join(tmpdir(), 'edgespan-kv-'));
    const file = await bundleFile('deno-kv', program);
    const child = startChild('deno', file, { KV_PATH: where === 'memory' ? ':memory:' : join(folder, 'kv') });
    await tellLines(child, tell).finally(() => rmSync(folder, { recursive: true }));
  });
});
