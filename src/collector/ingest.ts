import type { Context, Hono } from 'hono';
import { asString, parseJson } from '../json.ts';
import { decodeMetrics, decodeTraces, type OtlpFormat, readFormat } from '../otlp/decode/decode.ts';
import { DecodeError } from '../otlp/decode/error.ts';
import type { DecodedSpans } from '../otlp/decode/spans.ts';
import type { Access } from './access.ts';
import { readBody } from './body.ts';
import { type ReadWaitUntil, readAddress } from './client.ts';
import { readSender } from './emitters.ts';
import type { Forward } from './forward.ts';
import type { Intake, Outcome } from './intake.ts';
import type { CollectorOptions } from './options.ts';
import { acceptOtlp, refuseOtlp } from './otlp-reply.ts';
import type { OwnMetrics } from './own-metrics.ts';
import type { PushedMetrics } from './pushed-metrics.ts';
import { readRastir } from './rastir.ts';
import type { RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import type { ResolvedCollectorLimits } from './settings.ts';

export interface IngestPorts {
  readonly options: CollectorOptions;
  readonly limits: ResolvedCollectorLimits;
  readonly access: Access;
  readonly rateLimit: RateLimit;
  readonly intake: Intake;
  readonly pushed: PushedMetrics;
  readonly own: OwnMetrics;
  readonly forward: Forward | undefined;
  readonly ephemeral: boolean;
  readonly readWaitUntil: ReadWaitUntil;
}

/** The routes that take spans and metrics. */
export function addIngestRoutes(app: Hono, ports: IngestPorts): void {
  app.post('/v1/traces', (context) =>
    answerOtlp(context, async (format) => {
      const { tenant, body } = await readRequest(context, ports);
      const { rejected, problem } = await take(context, ports, tenant, () => decodeTraces(body, format));
      return acceptOtlp(format, 'traces', { rejected, problem: problem?.message });
    }),
  );
  app.post('/v1/metrics', (context) =>
    answerOtlp(context, async (format) => {
      const { tenant, body } = await readRequest(context, ports);
      const decoded = decode(() => decodeMetrics(body, format));
      for (const { resource } of decoded.snapshots)
        limitService(ports, readSender({ attributes: resource }, tenant).service);
      const refused = await ports.pushed.add(decoded.snapshots, tenant);
      const rejected = decoded.rejected + refused.points;
      return acceptOtlp(format, 'metrics', { rejected, problem: decoded.problem?.message ?? refused.problem });
    }),
  );
  app.post('/v1/telemetry', async (context) => {
    const type = context.req.header('content-type');
    if (type !== undefined && readFormat(type) !== 'json') throw wrongType('application/json');
    const { tenant, body } = await readRequest(context, ports);
    const json = parseJson(new TextDecoder().decode(body));
    if (json === undefined) throw new Refusal(400, 'bad_request', 'the body is no JSON');
    const { spans, rejected, problem } = await take(context, ports, tenant, () => readRastir(json));
    const left = rejected > 0 && { spans_rejected: rejected, problem: problem?.message };
    return context.json({ status: 'accepted', spans_received: spans.length, ...left }, 202);
  });
}

/** Errors too are told in the request's own format. */
async function answerOtlp(context: Context, answer: (format: OtlpFormat) => Promise<Response>): Promise<Response> {
  const format = readFormat(context.req.header('content-type'));
  if (!format) throw wrongType('application/json or application/x-protobuf');
  try {
    return await answer(format);
  } catch (error) {
    if (error instanceof Refusal) return refuseOtlp(format, error);
    throw error;
  }
}

async function readRequest(context: Context, ports: IngestPorts): Promise<{ tenant: string; body: Uint8Array }> {
  const { options, limits, rateLimit, own, access } = ports;
  const address = readAddress(context, options.trustForwardedFor ?? false);
  const wait = address === undefined ? undefined : await rateLimit.ask('ip', address);
  if (wait !== undefined) {
    own.rateLimited('ip');
    throw new Refusal(429, 'rate_limited', 'too many requests of this address', { retryAfterSeconds: wait });
  }
  const { tenant } = await access.identify(context.req.raw);
  return { tenant, body: await readBody(context.req.raw, limits) };
}

/** Resolves once the spans are stored. */
async function take(
  context: Context,
  ports: IngestPorts,
  tenant: string,
  read: () => DecodedSpans,
): Promise<DecodedSpans> {
  const { limits, intake, own, forward } = ports;
  const decoded = decode(read);
  const { spans, problem } = decoded;
  if (spans.length === 0 && problem) throw toRefusal(problem);
  const most = Math.min(limits.spansPerRequest, intake.capacity);
  if (spans.length > most) throw new Refusal(413, 'too_large', `a request has at most ${most} spans`);
  const senders = new Map(spans.map(({ resource }) => [resource, readSender(resource, tenant)]));
  for (const service of new Set(Array.from(senders.values(), ({ service }) => service))) limitService(ports, service);
  if (spans.length === 0) return decoded;
  const waitUntil = ports.readWaitUntil(context);
  const isAlone = ports.ephemeral || waitUntil !== undefined;
  const outcome = await intake.accept({ spans, tenant }, isAlone);
  if (outcome === 'full') own.rejected(1, senders.values().next().value!);
  if (outcome !== 'stored') throw notStored(outcome);
  if (isAlone && forward) waitUntil?.(forward.flush());
  return decoded;
}

function wrongType(allowed: string): Refusal {
  return new Refusal(415, 'unsupported_media_type', `content-type must be ${allowed}`, { field: 'content-type' });
}

function limitService({ rateLimit, own }: IngestPorts, service: string): void {
  const wait = rateLimit.take('service', service);
  if (wait === undefined) return;
  own.rateLimited('service');
  throw new Refusal(429, 'rate_limited', 'too many requests of this service', { retryAfterSeconds: wait });
}

function decode<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) throw toRefusal(error);
    throw error;
  }
}

function toRefusal({ message, field }: DecodeError): Refusal {
  return new Refusal(400, 'bad_request', message, { field: asString(field) });
}

function notStored(outcome: Exclude<Outcome, 'stored'>): Refusal {
  switch (outcome) {
    case 'full':
      return new Refusal(429, 'queue_full', 'the queue is full', { retryAfterSeconds: 1 });
    case 'dropped':
      return new Refusal(503, 'unavailable', 'gave way to newer spans', { retryAfterSeconds: 1 });
    case 'failed':
      return new Refusal(503, 'unavailable', 'the trace store does not take spans', { retryAfterSeconds: 5 });
    case 'closed':
      return new Refusal(503, 'unavailable', 'the collector is shutting down', { retryAfterSeconds: 5 });
  }
}
