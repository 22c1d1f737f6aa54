import { eventFrame } from '../support/event-frames.ts';
import type { Answer, StreamEnd } from './loopback.ts';

/** Bedrock's wire format, spoken by the stand-in: https://docs.aws.amazon.com/bedrock/latest/APIReference/ */

export const requestId = 'a1b2c3d4-0000-4000-8000-000000000001';
/** 600 fresh tokens, 100 written to the cache, 300 read from it. */
const usage = {
  inputTokens: 600,
  cacheWriteInputTokens: 100,
  cacheReadInputTokens: 300,
  outputTokens: 500,
  totalTokens: 1500,
};
export const toolUse = { toolUseId: 'tooluse_1', name: 'get_weather', input: { city: 'Lisbon' } };

export function converse(content: readonly object[] = [{ text: 'Hello there.' }]) {
  const stopReason = content.some((block) => 'toolUse' in block) ? 'tool_use' : 'end_turn';
  return { output: { message: { role: 'assistant', content } }, stopReason, usage, metrics: { latencyMs: 250 } };
}

function event(type: string, payload: object): Uint8Array {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return eventFrame(headers, JSON.stringify({ ...payload, p: 'abcdef' }));
}

export function exception(type: string, message: string): Uint8Array {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return eventFrame(headers, JSON.stringify({ message }));
}

function end(stopReason: string): Uint8Array[] {
  return [event('messageStop', { stopReason }), event('metadata', { usage, metrics: { latencyMs: 250 } })];
}

/** A streamed message, one frame an entry. */
export function converseEvents(words: readonly string[] = ['Hello ', 'there.']): Uint8Array[] {
  return [
    event('messageStart', { role: 'assistant' }),
    ...words.map((text) => event('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })),
    event('contentBlockStop', { contentBlockIndex: 0 }),
    ...end('end_turn'),
  ];
}

export function toolEvents(): Uint8Array[] {
  const { toolUseId, name } = toolUse;
  const delta = (input: string) => event('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input } } });
  return [
    event('messageStart', { role: 'assistant' }),
    event('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId, name } } }),
    delta('{"city":'),
    delta('"Lisbon"}'),
    event('contentBlockStop', { contentBlockIndex: 0 }),
    ...end('tool_use'),
  ];
}

/** What a model says in its own words: these have no counts, so that AWS's are needed. */
export const mistral = { outputs: [{ text: 'Hello there.', stop_reason: 'stop' }] };
export const counts = {
  'x-amzn-bedrock-input-token-count': '600',
  'x-amzn-bedrock-cache-read-input-token-count': '400',
  'x-amzn-bedrock-output-token-count': '500',
};
const metrics = { inputTokenCount: 600, cacheReadInputTokenCount: 400, outputTokenCount: 500, invocationLatency: 9 };

export function mistralEvents(): Uint8Array[] {
  const chunk = (body: object) => event('chunk', { bytes: btoa(JSON.stringify(body)) });
  return [
    chunk({ outputs: [{ text: 'Hello ', stop_reason: null }] }),
    chunk({ outputs: [{ text: 'there.', stop_reason: null }] }),
    chunk({ outputs: [{ text: '', stop_reason: 'stop' }], 'amazon-bedrock-invocationMetrics': metrics }),
  ];
}

/** An answer of status 200, or AWS's error with its type in a header. */
export function reply(body: object, headers: Record<string, string> = {}): Answer {
  return send(200, body, headers);
}

export function failure(status: number, type: string, message: string): Answer {
  return send(status, { message }, { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/` });
}

function send(status: number, body: object, headers: Record<string, string>): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-requestid': requestId, ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Frames in pieces that end where no frame does. */
export function eventStream(frames: readonly Uint8Array[], how: StreamEnd = 'end'): Answer {
  return async (response) => {
    response.writeHead(200, {
      'content-type': 'application/vnd.amazon.eventstream',
      'x-amzn-requestid': requestId,
      'x-amzn-bedrock-content-type': 'application/json',
    });
    const bytes = Buffer.concat(frames);
    for (let at = 0; at < bytes.length; at += 97) {
      await new Promise<void>((done) => response.write(bytes.subarray(at, at + 97), () => done()));
    }
    if (how === 'end') response.end();
    if (how === 'broken') response.destroy();
  };
}
