import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { serve } from '@hono/node-server';
import { expect, it } from 'vitest';
import { createCollector } from '../../src/collector/index.ts';
import { root } from '../support/build.ts';
import { bundleFile } from '../support/bundle.ts';
import { startProgram } from './programs.ts';
import { getJson } from './support.ts';

const deno = join(root, 'node_modules', '.bin', 'deno');

it.skipIf(!existsSync(deno) && !process.env.CI)('takes what Deno’s own exporter sends', async () => {
  const collector = createCollector();
  const server = serve({ fetch: collector.fetch, port: 0, hostname: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const file = await bundleFile(
      'deno-exporter',
      `
      import { trace } from '@opentelemetry/api';
      trace.getTracer('app').startActiveSpan('answer', (span) => {
        span.setAttribute('question', 'why');
        span.end();
      });
    `,
    );
    const { code, stderr } = await startProgram(
      deno,
      ['run', '--allow-all', '--no-config', '--no-lock', '--no-remote', file],
      {
        OTEL_DENO: 'true',
        OTEL_SERVICE_NAME: 'deno-app',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      },
    );
    expect([code, stderr]).toEqual([0, '']);
    const { traces } = (await getJson(collector, '/v1/traces?service=deno-app')) as { traces: { trace_id: string }[] };
    expect(traces).toMatchObject([{ name: 'answer', service: 'deno-app' }]);
    expect(await getJson(collector, `/v1/traces/${traces[0]!.trace_id}`)).toMatchObject({
      spans: [{ name: 'answer', attributes: { question: 'why' }, resource: { 'service.name': 'deno-app' } }],
    });
  } finally {
    server.close();
  }
});
