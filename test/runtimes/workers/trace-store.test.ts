import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SuiteResult } from '../../suites/suite.ts';
import { traceStoreContract } from '../../suites/trace-store.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const program = "export { default, TraceArchive } from './test/runtimes/workers/trace-store.worker.ts';";

describe('traces in Durable Objects of a real workerd', () => {
  let worker: StartedWorker;
  let results: readonly SuiteResult[] = [];
  beforeAll(async () => {
    worker = await startWorker(program, {
      durableObjects: { TRACES: { className: 'TraceArchive', useSQLite: true } },
    });
    const response = await fetch(worker.url);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    results = JSON.parse(text) as SuiteResult[];
  });
  afterAll(() => worker.stop());

  it.each(traceStoreContract.map(({ name }) => name).filter((name) => !name.startsWith('lets the least recently')))(
    '%s',
    (name) => expect(results.find((result) => result.name === name)).toEqual({ name }),
  );
});
