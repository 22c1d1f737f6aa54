import { AuditJournal, createDurableObjectAuditStore } from 'edgespan/workers';
import { auditStoreContract } from '../../suites/audit-store.ts';
import type { SuiteResult } from '../../suites/suite.ts';

export { AuditJournal };

export default {
  async fetch(_: Request, env: { AUDIT: DurableObjectNamespace<AuditJournal> }): Promise<Response> {
    const results: SuiteResult[] = [];
    for (const [i, { name, run }] of auditStoreContract.entries()) {
      const namespace = {
        getByName: () => env.AUDIT.getByName(`${i}`),
      } as unknown as DurableObjectNamespace<AuditJournal>;
      try {
        await run(createDurableObjectAuditStore(namespace));
        results.push({ name });
      } catch (error) {
        results.push({ name, error: String((error as Error)?.stack ?? error) });
      }
    }
    return Response.json(results);
  },
};
