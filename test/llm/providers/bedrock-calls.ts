import type { LlmRequest, LlmResponse, Reply } from '../../../src/llm/provider.ts';
import { bedrock } from '../../../src/llm/providers/bedrock.ts';
import { createReplyReader } from '../../../src/llm/reply-reader.ts';
import { concat, eventFrame } from '../../support/event-frames.ts';

export const host = 'https://bedrock-runtime.us-east-1.amazonaws.com';

export function readRequest(path: string, body: unknown = {}, headers: Record<string, string> = {}) {
  const url = new URL(path, host);
  return bedrock.request({ url, method: 'POST', headers: new Headers(headers), body });
}

export interface CallOptions {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly request?: Partial<LlmRequest>;
}

export function replyOf(path: string, { status = 200, headers = {}, request = {} }: CallOptions = {}): Reply {
  const known = { provider: 'bedrock', operation: 'chat', stream: false, ...readRequest(path), ...request };
  return {
    status,
    headers: new Headers(headers),
    request: { ...known, model: known.model },
    url: new URL(path, host),
  };
}

/** A whole reply, and whether the provider missed something in it. */
export function respond(
  path: string,
  json: unknown,
  options?: CallOptions,
): { response: LlmResponse; faulty: boolean } {
  let faulty = false;
  const reader = createReplyReader(bedrock, replyOf(path, options), {
    maxBodyBytes: 1 << 20,
    maxEventBytes: 1 << 20,
    onContent() {},
    onEnd() {},
    onParseError() {
      faulty = true;
    },
  });
  reader.chunk(new TextEncoder().encode(JSON.stringify(json)));
  return { response: reader.finish(), faulty };
}

/** An event of Converse. */
export const event = (type: string, payload: object) =>
  eventFrame({ ':message-type': 'event', ':event-type': type }, JSON.stringify(payload));

/** An event of a model's own stream. */
export function chunk(payload: object): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  return event('chunk', { bytes: btoa(String.fromCharCode(...bytes)), p: 'abc' });
}

export const exception = (type: string, message: string) =>
  eventFrame({ ':message-type': 'exception', ':exception-type': type }, JSON.stringify({ message }));

/** What a stream of frames comes to, in chunks of one size. */
export function stream(path: string, frames: readonly Uint8Array[], options: CallOptions = {}, size = 1 << 20) {
  const seen = { contents: 0, ends: 0, parseErrors: 0 };
  const headers = { 'content-type': 'application/vnd.amazon.eventstream', ...options.headers };
  const reader = createReplyReader(bedrock, replyOf(path, { ...options, headers }), {
    maxBodyBytes: 1 << 20,
    maxEventBytes: 1 << 20,
    onContent: () => seen.contents++,
    onEnd: () => seen.ends++,
    onParseError: () => seen.parseErrors++,
  });
  const bytes = concat(frames);
  for (let at = 0; at < bytes.length; at += size) reader.chunk(bytes.subarray(at, at + size));
  return { response: reader.finish(), ...seen };
}
