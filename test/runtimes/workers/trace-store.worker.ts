import { createDurableObjectTraceStore, TraceArchive } from 'edgespan/workers';
import type { SuiteResult } from '../../suites/suite.ts';
import { traceStoreContract } from '../../suites/trace-store.ts';

export { TraceArchive };

/** The object's bounds are its own: what lets traces go is tested where the store is made in process. */
export const cases = traceStoreContract.filter(({ name }) => !name.startsWith('lets the least recently'));

export default {
  async fetch(_: Request, env: { TRACES: DurableObjectNamespace<TraceArchive> }): Promise<Response> {
    const results: SuiteResult[] = [];
    for (const [i, { name, run }] of cases.entries()) {
      const getByName = (tenant: string) => env.TRACES.getByName(`${i} ${tenant}`);
      const namespace = { getByName } as DurableObjectNamespace<TraceArchive>;
      try {
        await run(async () => createDurableObjectTraceStore(namespace));
        results.push({ name });
      } catch (error) {
        results.push({ name, error: String((error as Error)?.stack ?? error) });
      }
    }
    return Response.json(results);
  },
};
