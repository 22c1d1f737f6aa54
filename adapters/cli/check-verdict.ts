import type { Sent } from './check-request.ts';

export interface Verdict {
  readonly ok: boolean;
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
}

export interface CheckContext {
  readonly endpoint: string;
  readonly protocol: 'json' | 'protobuf';
  readonly hasHeaders: boolean;
}

/** What an answer means, in words that tell what to do. */
export function judge(sent: Sent, context: CheckContext): Verdict {
  if ('failure' in sent) return { ok: false, ...judgeFailure(sent.failure, context) };
  const { status, message, rejected, contentType } = sent;
  if (status >= 200 && status < 300) {
    if (/html/i.test(contentType)) {
      const advice = 'The endpoint must be the base address of an OTLP receiver: look at host, port and path.';
      return { ok: false, message: `answered ${status} with a web page: this is no OTLP receiver`, advice };
    }
    if (rejected > 0)
      return {
        ok: false,
        message: `answered ${status} and rejected it${quote(message)}`,
        advice: 'What is quoted says why.',
      };
    return { ok: true, message: `taken, ${status}${message ? `; it says: ${message}` : ''}` };
  }
  const advice = adviseStatus(sent, context);
  return { ok: false, message: `answered ${status}${quote(message)}`, ...(advice && { advice }) };
}

function quote(message: string | undefined): string {
  return message ? `: ${message.slice(0, 300)}` : '';
}

type Failure = Extract<Sent, { failure: unknown }>['failure'];

function judgeFailure(failure: Failure, { endpoint }: CheckContext): Omit<Verdict, 'ok'> {
  const { host, hostname, port, protocol } = new URL(endpoint);
  const says: Readonly<Record<Failure, Omit<Verdict, 'ok'>>> = {
    refused: {
      message: `nobody listens at ${host}`,
      advice: 'Is the receiver running? `npx edgespan collector` starts one at http://127.0.0.1:4318.',
    },
    bad_port: {
      message: `fetch asks nothing at port ${port}`,
      advice:
        'It is kept for another protocol (https://fetch.spec.whatwg.org/#port-blocking): OTLP over HTTP has 4318.',
    },
    unknown_host: {
      message: `there is no host ${hostname}`,
      advice: 'Look at the name, and whether this machine can resolve it.',
    },
    tls: {
      message: `no secure connection to ${host}`,
      advice:
        protocol === 'https:'
          ? 'The certificate is not trusted here, or the port speaks plain http: then write http://.'
          : 'The port may want https://.',
    },
    not_http: {
      message: `${host} answered, and not in HTTP`,
      advice:
        port === '4317'
          ? 'Port 4317 is that of gRPC: OTLP over HTTP has 4318.'
          : 'Is this the port of OTLP over HTTP? It is 4318 by default, 4317 is that of gRPC.',
    },
    timeout: {
      message: `no answer from ${host} in time`,
      advice: 'A firewall may swallow the request, or the receiver is too busy: try --timeout-ms 30000.',
    },
    lost: {
      message: `${host} closed the connection without an answer`,
      advice:
        port === '4317'
          ? 'Port 4317 is that of gRPC: OTLP over HTTP has 4318.'
          : 'Look at its log; a port of gRPC or TLS does so too.',
    },
  };
  return says[failure];
}

function adviseStatus(
  { status, retryAfter, location, signal }: Exclude<Sent, { failure: unknown }>,
  { endpoint, protocol, hasHeaders }: CheckContext,
): string | undefined {
  if (status >= 300 && status < 400)
    return `It wants to be asked elsewhere${location ? ` (${location})` : ''}: give that address, since credentials don't follow redirects.`;
  const other = protocol === 'json' ? 'protobuf' : 'json';
  const byStatus: Readonly<Record<number, string>> = {
    401: hasHeaders
      ? 'The key is not known there, or belongs into another header.'
      : "A key is needed: --header 'x-api-key=…' or --header 'authorization=Bearer …'.",
    403: 'The key is known and may not do this: look at its rights there.',
    404: /\/v1(\/|$)/.test(new URL(endpoint).pathname)
      ? 'Give the base address: /v1/traces and /v1/metrics are appended.'
      : `There is no /v1/${signal} under this address: it may lie under a path of its own, or take no ${signal}.`,
    405: 'There is something else at this address: look at host, port and path.',
    413: 'It takes no request of this size, which is small: look at the proxy in front of it.',
    415: `It does not read ${protocol}: try --protocol ${other}.`,
    429: `It is too busy, or a limit is reached${retryAfter ? `: try again in ${retryAfter} s` : ''}.`,
    503: `It is not ready or overloaded${retryAfter ? `: try again in ${retryAfter} s` : ''}.`,
  };
  if (byStatus[status]) return byStatus[status];
  if (status === 400) return `It could not read the request: try --protocol ${other}.`;
  return status >= 500 ? 'Something went wrong there: look at its log.' : undefined;
}
