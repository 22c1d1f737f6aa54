import { type Checks, checkValues, count, integer, string } from '../checks.ts';
import { createSession, type Session, type SessionOptions } from '../llm/session.ts';
import { createViewFetch } from '../observed-fetch.ts';
import type { Shared } from '../parts.ts';
import type { ContextView } from '../trace/context.ts';
import { type Feature, need } from './feature.ts';

const checks: Checks = {
  name: string,
  preview: /* @__PURE__ */ integer(0, 100),
  maxRecords: count,
  qualityWindow: /* @__PURE__ */ integer(2),
};

function create(shared: Shared, view: ContextView, options: SessionOptions): Session {
  checkValues(options, checks, 'session.');
  const { clock, features, options: given } = shared.engine;
  if (options.preview) need(features, 'content', 'session.preview');
  const createFetch = (within: ContextView) => createViewFetch(shared, within);
  return createSession({ view, now: clock.now, currency: given.currency, createFetch }, options);
}

export const sessionPart = { create };

/** Tokens and costs of a stretch of work: `telemetry.session`. */
export const sessions: Feature = { sessions: sessionPart };
