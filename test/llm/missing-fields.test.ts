import { describe, expect, it } from 'vitest';
import { createTestTelemetry } from '../../src/testing.ts';
import { contentTypes, type Exchange, encode, exchanges } from '../support/exchanges.ts';

type Attributes = Readonly<Record<string, unknown>>;
type Edit = (owner: Record<string, unknown>, key: string) => void;

/** A vendor that has changed its shape has changed it in every event. */
const edits: Readonly<Record<string, Edit>> = {
  removed(owner, key) {
    delete owner[key];
  },
  renamed(owner, key) {
    owner[`${key}_v2`] = owner[key];
    delete owner[key];
  },
  'a number': (owner, key) => {
    owner[key] = -1.5;
  },
  'a flag': (owner, key) => {
    owner[key] = true;
  },
};

/** Calls the edit wherever the path of a member is like this, and answers whether it was anywhere. */
function editAll(value: unknown, path: RegExp, edit: Edit, at = ''): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const owner = value as Record<string, unknown>;
  let found = false;
  for (const key of Object.keys(owner)) {
    const here = `${at}${key}`;
    if (path.test(here)) {
      edit(owner, key);
      found = true;
    } else {
      found = editAll(owner[key], path, edit, `${here}.`) || found;
    }
  }
  return found;
}

/** The exchange with a field changed, or nothing where the vendor sends no such field. */
function change(exchange: Exchange, path: RegExp, edit: Edit): Exchange | undefined {
  const events = structuredClone(exchange.events);
  return editAll(
    events.map(({ data }) => data),
    path,
    edit,
  )
    ? { ...exchange, events }
    : undefined;
}

async function play({ url, request, framing, headers, events }: Exchange) {
  const bytes = encode(framing, events);
  const telemetry = createTestTelemetry({
    fetch: async () => new Response(bytes, { headers: { 'content-type': contentTypes[framing], ...headers } }),
    onError: (error) => expect.unreachable(String(error)),
  });
  const response = await telemetry.fetch(url, { method: 'POST', body: JSON.stringify(request) });
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  expect(telemetry.spans).toHaveLength(1);
  const { attributes } = telemetry.spans[0]!;
  const provider = attributes['llm.provider'] as string;
  return { attributes, parseErrors: telemetry.metrics.value('edgespan_parse_errors_total', { provider }) ?? 0 };
}

/** What tells of the time, and what follows from tokens, models and reasons. */
const follows =
  /latency|time_to_first|cost|usage|_tokens$|pricing|^llm\.model$|^error\.|^llm\.error|^edgespan\.error|price/;

function others(attributes: Attributes, own: RegExp): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !own.test(name) && !follows.test(name)));
}

const inside = '^\\d+\\.(?:(?:response|message)\\.)?';

/** Fields of a reply by where they stand, and the attribute that each becomes. */
const fields = [
  ['id', new RegExp(`${inside}(?:id|responseId)$`), 'gen_ai.response.id'],
  ['model', new RegExp(`${inside}(?:model|modelVersion)$`), 'gen_ai.response.model'],
  [
    'finish reason',
    new RegExp(`\\.(?:finish_reason|finishReason|stop_reason|stopReason|done_reason)$|${inside}status$`),
    'gen_ai.response.finish_reasons',
  ],
] as const;

const usagePath = /^\d+\.(?:(?:response|message|delta)\.)?(?:usage|usageMetadata)$/;
const anyUsage = /^(gen_ai|edgespan)\.usage\.|^llm\.\w+_tokens$/;
const listPath = /^\d+\.(?:choices|content|candidates|output|outputs|message)$/;

const all = Object.entries(exchanges).flatMap(([provider, list]) =>
  list.map((exchange) => ({ provider, ...exchange })),
);

/** Nothing but its finish reason tells that a stream of Gemini's is whole: without one it was cut. */
function hasNoTerminator({ url }: Exchange): boolean {
  return url.includes(':streamGenerateContent');
}

describe.each(all)('$provider: $name', (exchange) => {
  it('is read as it is', async () => {
    const { attributes, parseErrors } = await play(exchange);
    expect([attributes['llm.provider'], parseErrors]).toEqual([exchange.provider, 0]);
  });

  it.each(Object.entries(edits))('whose fields are %s', async (_kind, edit) => {
    const before = await play(exchange);
    for (const [name, path, attribute] of fields) {
      const changed = change(exchange, path, edit);
      if (!changed) continue;
      expect(before.attributes[attribute], name).toBeDefined();
      const { attributes, parseErrors } = await play(changed);
      if (name === 'finish reason' && hasNoTerminator(exchange)) {
        expect([attributes[attribute], attributes['error.type']]).toEqual([['error'], 'incomplete_stream']);
        continue;
      }
      expect(attributes[attribute], name).toBeUndefined();
      expect(parseErrors, name).toBe(1);
      expect(others(attributes, new RegExp(`^${attribute}$`)), name).toEqual(
        others(before.attributes, new RegExp(`^${attribute}$`)),
      );
    }
  });

  it.skipIf(exchange.counts.length === 0).each(Object.entries(edits))('whose usage is %s', async (_kind, edit) => {
    const before = await play(exchange);
    const changed = change(exchange, usagePath, edit);
    if (!changed) return;
    const { attributes, parseErrors } = await play(changed);
    expect(Object.keys(attributes).filter((name) => anyUsage.test(name))).toEqual([]);
    expect(attributes['llm.cost_usd']).toBeUndefined();
    expect(parseErrors).toBe(1);
    expect(others(attributes, anyUsage)).toEqual(others(before.attributes, anyUsage));
  });

  it.skipIf(exchange.counts.length === 0)('each of whose counts is another type', async () => {
    const before = await play(exchange);
    const counts = new Set<string>();
    editAll(
      exchange.events.map(({ data }) => data),
      /_tokens$|TokenCount$|Tokens$|_count$/,
      (_owner, key) => counts.add(key),
    );
    expect(counts.size).toBeGreaterThan(0);
    for (const name of counts) {
      for (const edit of [edits['a number']!, edits['a flag']!]) {
        const { attributes, parseErrors } = await play(change(exchange, new RegExp(`\\.${name}$`), edit)!);
        expect(parseErrors, name).toBe(1);
        // A count is what it was, or unknown: none is made up of what is left.
        for (const [key, value] of Object.entries(attributes)) {
          if (anyUsage.test(key)) expect(value, `${name}: ${key}`).toBe(before.attributes[key]);
        }
        expect(others(attributes, anyUsage)).toEqual(others(before.attributes, anyUsage));
      }
    }
  });

  it.skipIf(exchange.framing !== 'json').each(Object.entries(edits))('whose answer is %s', async (_kind, edit) => {
    const changed = change(exchange, listPath, edit);
    if (changed) expect((await play(changed)).parseErrors).toBe(1);
  });
});
