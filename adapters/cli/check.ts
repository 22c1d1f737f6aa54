import { createEnvironment } from '../../src/environment.ts';
import { createTelemetry } from '../../src/index.ts';
import { readHeaders } from '../../src/otlp/headers.ts';
import { json } from '../../src/otlp/json.ts';
import { protobuf } from '../../src/otlp/protobuf.ts';
import { type Sent, type Signal, sendOtlp } from './check-request.ts';
import { judge } from './check-verdict.ts';
import { type Command, UsageError } from './command.ts';
import { texts, url as urlKind } from './setting.ts';
import type { Terminal } from './terminal.ts';

const defaultEndpoint = 'http://127.0.0.1:4318';
const defaultTimeoutMs = 10_000;

const signals: Readonly<Record<Signal, string>> = { traces: 'span', metrics: 'metric' };

export const check: Command = {
  name: 'check',
  summary: 'sends one span and one metric to an OTLP endpoint and says what came back',
  usage: '[endpoint]',
  flags: {
    header: { value: 'NAME=VALUE', help: 'a header to send, as a key; may be given several times', repeats: true },
    protocol: { value: 'json|protobuf', help: 'how they are written, json' },
    'timeout-ms': { value: 'N', help: 'how long to wait for each answer, 10000' },
  },
  notes: [
    `The endpoint is the base address, without /v1/traces: by default OTEL_EXPORTER_OTLP_ENDPOINT, else ${defaultEndpoint}.`,
    'OTEL_EXPORTER_OTLP_HEADERS is read where no --header is given.',
  ],
  async run({ values, positionals }, terminal) {
    const endpoint = readEndpoint(positionals, terminal);
    const protocol = readProtocol(values.protocol as string | undefined);
    const headers = readGivenHeaders((values.header ?? []) as readonly string[], terminal);
    const timeoutMs = readTimeout(values['timeout-ms'] as string | undefined);
    const { traceId, bodies } = await encodeProbe(protocol);
    const results = [];
    for (const signal of Object.keys(signals) as Signal[]) {
      if (!values.json)
        terminal.error(terminal.style('dim', `sending a ${signals[signal]} to ${toUrl(endpoint, signal)} …`));
      const sent = await sendOtlp({ url: toUrl(endpoint, signal), signal, headers, timeoutMs, ...bodies[signal] });
      results.push({
        signal,
        sent,
        ...judge(sent, { endpoint, protocol, hasHeaders: Object.keys(headers).length > 0 }),
      });
    }
    const ok = results.every((result) => result.ok);
    if (values.json) {
      const shown = results.map(({ sent, ...rest }) => ({ url: sent.url, ...describeAnswer(sent), ...rest }));
      terminal.json({ ok, endpoint, protocol, traceId, results: shown });
    } else {
      for (const { signal, ok, message, advice } of results) {
        terminal.out(`${ok ? terminal.style('green', '✓') : terminal.style('red', '✗')} ${signal}: ${message}`);
        if (advice) terminal.out(`  ${advice}`);
      }
      if (ok) terminal.out(`The trace is ${traceId}, service edgespan-check.`);
    }
    return ok ? 0 : 1;
  },
};

function readEndpoint([given, ...rest]: readonly string[], { env }: Terminal): string {
  if (rest.length > 0) throw new UsageError('one endpoint at a time: edgespan check [endpoint]');
  const endpoint = given ?? (env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || defaultEndpoint);
  if (!urlKind.test(endpoint)) throw new UsageError(`the endpoint must be ${urlKind.allowed}: ${defaultEndpoint}`);
  return endpoint.replace(/\/+$/, '');
}

function readProtocol(given = 'json'): 'json' | 'protobuf' {
  if (given !== 'json' && given !== 'protobuf') throw new UsageError('--protocol must be json or protobuf');
  return given;
}

function readGivenHeaders(given: readonly string[], { env }: Terminal): Record<string, string> {
  if (given.length === 0) {
    return readHeaders(
      createEnvironment(env, ({ message }) => usage(message)),
      'OTEL_EXPORTER_OTLP_HEADERS',
    );
  }
  const pairs = given.map((header) => [header.slice(0, header.indexOf('=')), header.slice(header.indexOf('=') + 1)]);
  const headers = Object.fromEntries(pairs) as Record<string, string>;
  try {
    if (given.every((header) => header.indexOf('=') > 0)) new Headers(headers);
    else usage(`--header must be a name and a value: ${texts.shown}`);
  } catch {
    usage('--header must be a name and a value that HTTP allows');
  }
  return headers;
}

function usage(message: string): never {
  throw new UsageError(message);
}

function readTimeout(text: string | undefined): number {
  const timeoutMs = text === undefined ? defaultTimeoutMs : Number(text);
  return Number.isInteger(timeoutMs) && timeoutMs > 0 && timeoutMs < 2 ** 31
    ? timeoutMs
    : usage('--timeout-ms must be an integer from 1');
}

function toUrl(endpoint: string, signal: Signal): string {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`;
  return url.href;
}

/** A span and a metric as a program with this library would send them. */
async function encodeProbe(protocol: 'json' | 'protobuf') {
  const telemetry = createTelemetry({ serviceName: 'edgespan-check', inMemory: true });
  telemetry.span('edgespan check', () => {});
  telemetry.metrics.counter('otlp_check_total', { help: 'Checks that were sent' }).inc();
  const snapshot = await telemetry.metrics.collect();
  const metrics = snapshot.metrics.filter(({ name }) => name === 'otlp_check_total');
  const resource = telemetry.spans[0]!.resource.attributes;
  const encoder = protocol === 'json' ? json : protobuf;
  const { contentType } = encoder;
  return {
    traceId: telemetry.spans[0]!.spanContext().traceId,
    bodies: {
      traces: { body: encoder.traces(telemetry.spans), contentType },
      metrics: { body: encoder.metrics({ ...snapshot, resource, metrics }), contentType },
    },
  };
}

function describeAnswer(sent: Sent): object {
  return 'status' in sent ? { status: sent.status } : { failure: sent.failure };
}
