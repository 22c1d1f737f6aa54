import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json } from '../../src/otlp/json.ts';
import { collectorSuite } from '../suites/collector.ts';
import { bundleFile } from '../support/bundle.ts';
import { type ServerRuntime, startChild } from '../support/child.ts';
import { type StartedWorker, startWorker } from '../support/worker.ts';
import { chatSpan } from './support.ts';

interface Result {
  name: string;
  error?: string;
}

const run = `
  import * as collector from 'edgespan/collector';
  import { collectorSuite } from './test/suites/collector.ts';
  async function run() {
    const results = [];
    for (const { name, run } of collectorSuite) {
      try {
        await run({ collector });
        results.push({ name });
      } catch (error) {
        results.push({ name, error: String(error?.stack ?? error) });
      }
    }
    return results;
  }
`;

function describeRuntime(runtime: string, start: () => Promise<readonly Result[]>): void {
  describe(runtime, () => {
    let results: readonly Result[] = [];
    beforeAll(async () => {
      results = await start();
    });
    it.each(collectorSuite.map(({ name }) => name))('%s', (name) => {
      expect(results.find((result) => result.name === name)).toEqual({ name });
    });
  });
}

for (const runtime of ['node', 'deno', 'bun'] satisfies ServerRuntime[]) {
  describeRuntime(runtime, async () => {
    const file = await bundleFile(`collector-${runtime}`, `${run}\nconsole.log(JSON.stringify(await run()));`);
    const child = startChild(runtime, file);
    const { stderr } = await child.ended;
    const line = child.lines.find((each) => each.startsWith('['));
    if (!line) throw new Error(stderr);
    return JSON.parse(line);
  });
}

describeRuntime('workerd', async () => {
  const worker = await startWorker(`${run}\nexport default { fetch: async () => Response.json(await run()) };`);
  try {
    return (await (await fetch(worker.url)).json()) as Result[];
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
