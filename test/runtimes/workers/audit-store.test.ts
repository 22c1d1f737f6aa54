import { afterAll, beforeAll, describe } from 'vitest';
import { auditStoreContract } from '../../suites/audit-store.ts';
import { itPasses, tellAnswer } from '../../support/results.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const program = "export { default, AuditJournal } from './test/runtimes/workers/audit-store.worker.ts';";

describe('an audit log in a Durable Object of a real workerd', () => {
  let worker: StartedWorker;
  beforeAll(async () => {
    worker = await startWorker(program, {
      durableObjects: { AUDIT: { className: 'AuditJournal', useSQLite: true } },
    });
  });
  afterAll(() => worker.stop());

  const names = auditStoreContract.map(({ name }) => name);
  itPasses(names, (tell) => tellAnswer(worker.url, tell));
});
