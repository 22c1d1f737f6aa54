import { expect, it } from 'vitest';
import { bundleFile } from '../support/bundle.ts';
import { startChild } from '../support/child.ts';

const program = `
import { createTelemetry } from 'edgespan/deno';
const told = [];
const telemetry = createTelemetry({
  inMemory: true,
  otlp: { endpoint: 'http://127.0.0.1:4318' },
  flush: { maxRetries: 0 },
  onError: ({ code, message }) => told.push(code + ': ' + message),
});
telemetry.span('work', () => {});
const { traces } = await telemetry.flush();
const service = telemetry.spans[0].resource.attributes['service.name'];
console.log('facts ' + JSON.stringify({ service, pending: traces.pending, told }));
`;

async function tryWith(permissions: readonly string[]) {
  const env = { OTEL_SERVICE_NAME: 'allowed', SECRET: 'x' };
  const child = startChild('deno', await bundleFile('deno-permissions', program), env, [], permissions);
  return JSON.parse((await child.line('facts ')).slice('facts '.length)) as Record<string, unknown>;
}

const told = ['export_failed: the runtime does not allow this connection'];

it.each([
  [['--no-prompt'], 'unknown_service'],
  [['--no-prompt', '--allow-env=OTEL_SERVICE_NAME'], 'allowed'],
  [['--no-prompt', '--allow-env', '--deny-env=SECRET'], 'allowed'],
])('works with the permissions %j, and says what is missing', async (permissions, service) => {
  expect(await tryWith(permissions)).toEqual({ service, pending: 1, told });
});
