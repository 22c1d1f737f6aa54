import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json } from '../../src/otlp/json.ts';
import { collectorSuite } from '../suites/collector.ts';
import type { Tell } from '../suites/suite.ts';
import { bundleFile } from '../support/bundle.ts';
import { type ServerRuntime, startChild } from '../support/child.ts';
import { itPasses, tellAnswer, tellLines } from '../support/results.ts';
import { type StartedWorker, startWorker } from '../support/worker.ts';
import { chatSpan } from './support.ts';

const cases = `
  import * as collector from 'edgespan/collector';
  import { collectorSuite } from './test/suites/collector.ts';
  import { answerCases, runCases } from './test/suites/suite.ts';
  const cases = collectorSuite.map(({ name, run }) => ({ name, run: () => run({ collector }) }));
`;

function describeRuntime(runtime: string, run: (tell: Tell) => Promise<void>): void {
  const names = collectorSuite.map(({ name }) => name);
  describe(runtime, () => itPasses(names, run));
}

for (const runtime of ['node', 'deno', 'bun'] satisfies ServerRuntime[]) {
  describeRuntime(runtime, async (tell) => {
    const print = 'await runCases(cases, (result) => console.log(JSON.stringify(result)));';
    const file = await bundleFile(`collector-${runtime}`, `${cases}${print}`);
    await tellLines(startChild(runtime, file), tell);
  });
}

describeRuntime('workerd', async (tell) => {
  const worker = await startWorker(`${cases}export default { fetch: () => answerCases(cases) };`);
  try {
    await tellAnswer(worker.url, tell);
  } finally {
    await worker.stop();
  }
});

describe('a Worker that is a collector', () => {
  let worker: StartedWorker;
  beforeAll(async () => {
    worker = await startWorker(
      `
      import { createCollector } from 'edgespan/collector';
      import { createDurableObjectTraceStore, runtime, TraceArchive } from 'edgespan/workers';
      export { TraceArchive };
      let collector;
      export default {
        fetch(request, env, context) {
          collector ??= createCollector({
            telemetry: { runtime, metrics: { local: true } },
            traces: createDurableObjectTraceStore(env.TRACES),
            rateLimit: { perIp: 40 },
          });
          return collector.fetch(request, env, context);
        },
      };
    `,
      { durableObjects: { TRACES: { className: 'TraceArchive', useSQLite: true } } },
    );
  });
  afterAll(() => worker.stop());

  it('answers many requests at once, each by its own work', async () => {
    const url = String(worker.url).replace(/\/$/, '');
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const body = json.traces([chatSpan({ traceId: String(i).padStart(32, 'f') })]) as Uint8Array<ArrayBuffer>;
        const headers = { 'content-type': 'application/json' };
        return (await fetch(`${url}/v1/traces`, { method: 'POST', headers, body })).status;
      }),
    );
    expect(answers).toEqual(new Array(30).fill(200));
    const { traces } = (await (await fetch(`${url}/v1/traces?limit=100`)).json()) as { traces: object[] };
    expect(traces).toHaveLength(30);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/llm_requests_total\{.*service="shop".*\} 30\n/);
    expect(worker.stderr.join('')).not.toMatch(/different request|hang/i);
  });

  it('tells its live listeners by timers of their own requests', async () => {
    const url = String(worker.url).replace(/\/$/, '');
    const body = json.traces([chatSpan({ traceId: 'c'.repeat(32), startMs: Date.now() })]) as Uint8Array<ArrayBuffer>;
    await fetch(`${url}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const response = await fetch(`${url}/v1/live`);
    const reader = response.body!.getReader();
    let text = '';
    while (!text.includes('c'.repeat(32))) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    expect(text).toContain('event: trace\ndata: {"trace_id":"');
  });
});
