import { type Feature, need } from './features.ts';
import { createSession, type Session, type SessionOptions } from './llm/session.ts';
import { createViewFetch } from './observed-fetch.ts';
import type { Shared } from './parts.ts';
import type { ContextView } from './trace/context.ts';

function create(shared: Shared, view: ContextView, options: SessionOptions): Session {
  const { clock, features, options: given } = shared.engine;
  if (options.preview) need(features, 'content', 'session.preview');
  const createFetch = (within: ContextView) => createViewFetch(shared, within);
  return createSession({ view, now: clock.now, currency: given.currency, createFetch }, options);
}

export const sessionPart = { create };

/** Tokens and costs of a stretch of work: `telemetry.session`. */
export const sessions: Feature = { sessions: sessionPart };
