import { AuditJournal, createDurableObjectAuditStore } from 'edgespan/workers';
import { auditStoreContract } from '../../suites/audit-store.ts';
import { answerCases } from '../../suites/suite.ts';

export { AuditJournal };

export default {
  fetch(_: Request, env: { AUDIT: DurableObjectNamespace<AuditJournal> }): Promise<Response> {
    const cases = auditStoreContract.map(({ name, run }, i) => {
      const getByName = () => env.AUDIT.getByName(`${i}`);
      const namespace = { getByName } as unknown as DurableObjectNamespace<AuditJournal>;
      return { name, run: () => run(createDurableObjectAuditStore(namespace)) };
    });
    return answerCases(cases);
  },
};
