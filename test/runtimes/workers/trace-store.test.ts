import { afterAll, beforeAll, describe } from 'vitest';
import { traceStoreContractWithoutBounds } from '../../suites/trace-store.ts';
import { itPasses, tellAnswer } from '../../support/results.ts';
import { type StartedWorker, startWorker } from '../../support/worker.ts';

const program = "export { default, TraceArchive } from './test/runtimes/workers/trace-store.worker.ts';";

describe('traces in Durable Objects of a real workerd', () => {
  let worker: StartedWorker;
  beforeAll(async () => {
    worker = await startWorker(program, {
      durableObjects: { TRACES: { className: 'TraceArchive', useSQLite: true } },
    });
  });
  afterAll(() => worker.stop());

  const names = traceStoreContractWithoutBounds.map(({ name }) => name);
  itPasses(names, (tell) => tellAnswer(worker.url, tell));
});
