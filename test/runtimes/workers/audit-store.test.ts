import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditStoreContract } from '../../suites/audit-store.ts';
import type { SuiteResult } from '../../suites/suite.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const program = "export { default, AuditJournal } from './test/runtimes/workers/audit-store.worker.ts';";

describe('an audit log in a Durable Object of a real workerd', () => {
  let worker: StartedWorker;
  let results: readonly SuiteResult[] = [];
  beforeAll(async () => {
    worker = await startWorker(program, {
      durableObjects: { AUDIT: { className: 'AuditJournal', useSQLite: true } },
    });
    const response = await fetch(worker.url);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    results = JSON.parse(text) as SuiteResult[];
  });
  afterAll(() => worker.stop());

  it.each(auditStoreContract.map(({ name }) => name))('%s', (name) =>
    expect(results.find((result) => result.name === name)).toEqual({ name }),
  );
});
