import { expect, it } from 'vitest';
import { bundleFile } from '../support/bundle.ts';
import { startChild } from '../support/child.ts';
import { startOtlpServer } from '../support/otlp-server.ts';

const program = `
import { createTelemetry, installShutdownHooks, instrument } from 'edgespan/deno';
const telemetry = createTelemetry();
installShutdownHooks(telemetry);
const work = telemetry.tool({ name: 'work' }, async () => 'done');
const onListen = ({ port }) => console.log('ready ' + port);
Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, instrument(async () => new Response(await work()), telemetry));
`;

it("nests under Deno's own tracing and sends no second SERVER span", async () => {
  const otlp = await startOtlpServer();
  try {
    const child = startChild('deno', await bundleFile('deno-host', program), {
      OTEL_DENO: 'true',
      OTEL_SERVICE_NAME: 'host',
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    const port = (await child.line('ready ')).slice('ready '.length);
    expect(await (await fetch(`http://127.0.0.1:${port}/orders`)).text()).toBe('done');
    child.process.kill('SIGTERM');
    await child.ended;
    const tool = await otlp.span('execute_tool work');
    const trace = otlp.spans.filter(({ traceId }) => traceId === tool.traceId);
    const servers = trace.filter(({ kind }) => kind === 2);
    expect(servers).toHaveLength(1);
    expect(servers[0]?.resource['telemetry.sdk.name']).not.toBe('edgespan');
    expect(tool.parentSpanId).toBe(servers[0]?.spanId);
  } finally {
    await otlp.stop();
  }
});
