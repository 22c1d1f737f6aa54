import { AsyncLocalStorage } from 'node:async_hooks';
import { createTelemetry, type TelemetryOptions } from '../../src/index.ts';
import { createAsyncContext, type Runtime } from '../../src/runtime.ts';

export interface ManualClock {
  readonly now: () => number;
  readonly monotonic: () => number;
  advance(ms: number): void;
}

/** Stands still until it is told to advance. */
export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsed = 0;
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    advance(ms) {
      elapsed += ms;
    },
  };
}

export function createAlsRuntime(parts: Runtime = {}): Runtime {
  return { name: 'test', context: createAsyncContext(new AsyncLocalStorage()), ...parts };
}

/** A telemetry with async context that keeps its spans and stands in for the network with `fetch`. */
export function createAlsTelemetry(options: TelemetryOptions = {}) {
  return createTelemetry({ inMemory: true, ...options, runtime: createAlsRuntime(options.runtime) });
}

/** A chat completion as OpenAI answers it. */
export function chatCompletion(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'gpt-4o-2024-08-06',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    ...over,
  };
}

export const chatUrl = 'https://api.openai.com/v1/chat/completions';

export function chatRequest(over: Record<string, unknown> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }], ...over }),
  };
}

/** Lets promises settle that need no timer. */
export async function settle(turns = 20): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve();
}
