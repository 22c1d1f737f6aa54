import { createDurableObjectTraceStore, TraceArchive } from 'edgespan/workers';
import { answerCases } from '../../suites/suite.ts';
import { traceStoreContractWithoutBounds } from '../../suites/trace-store.ts';

export { TraceArchive };

export default {
  fetch(_: Request, env: { TRACES: DurableObjectNamespace<TraceArchive> }): Promise<Response> {
    const cases = traceStoreContractWithoutBounds.map(({ name, run }, i) => {
      const getByName = (tenant: string) => env.TRACES.getByName(`${i} ${tenant}`);
      const namespace = { getByName } as DurableObjectNamespace<TraceArchive>;
      return { name, run: () => run(async () => createDurableObjectTraceStore(namespace)) };
    });
    return answerCases(cases);
  },
};
