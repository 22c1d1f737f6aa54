import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Provider, Telemetry } from '../../src/index.ts';
import { createTestTelemetry } from '../../src/testing.ts';
import { contentTypes, type Exchange, encode, exchanges } from '../support/exchanges.ts';

const providers = await loadProviders();

/** Every provider of the library, whether or not it is in a list by now. */
async function loadProviders(): Promise<Provider[]> {
  const folder = new URL('../../src/llm/providers/', import.meta.url);
  const found = new Set<Provider>();
  for (const file of readdirSync(folder)) {
    const module = (await import(new URL(file, folder).href)) as Record<string, unknown>;
    for (const value of Object.values(module)) if (isProvider(value)) found.add(value);
  }
  return [...found];
}

function isProvider(value: unknown): value is Provider {
  const { name, match, response, gateway } = (value ?? {}) as Partial<Provider>;
  // A gateway answers nothing of its own.
  return typeof name === 'string' && typeof match === 'function' && typeof response === 'function' && !gateway;
}

/** What was seen of one exchange, and what the caller got. */
interface Seen {
  readonly spans: Telemetry['spans'];
  readonly attributes: Record<string, unknown>;
  readonly parseErrors: number;
  readonly bytes: Uint8Array;
}

/** Plays answers to one call, each by the same telemetry. */
function createPlayer({ url, request, framing, headers }: Exchange) {
  let body: Uint8Array<ArrayBuffer> = new Uint8Array();
  const telemetry = createTestTelemetry({
    providers,
    fetch: async () => new Response(body, { headers: { 'content-type': contentTypes[framing], ...headers } }),
    onError: (error) => expect.unreachable(String(error)),
  });
  const errors = () => telemetry.metrics.value('edgespan_parse_errors_total') ?? 0;
  return async (bytes: Uint8Array<ArrayBuffer>): Promise<Seen> => {
    body = bytes;
    const before = errors();
    const response = await telemetry.fetch(url, { method: 'POST', body: JSON.stringify(request) });
    const passed = new Uint8Array(await response.arrayBuffer());
    const spans = telemetry.spans;
    telemetry.clearSpans();
    return { spans, attributes: { ...spans[0]?.attributes }, parseErrors: errors() - before, bytes: passed };
  };
}

type Path = readonly (string | number)[];

/** Where there is a string, a number, a boolean or nothing. */
function listLeaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.keys(value).flatMap((key) => {
    const step = Array.isArray(value) ? Number(key) : key;
    return listLeaves((value as Record<string, unknown>)[key], [...path, step]);
  });
}

interface Place {
  readonly event: number;
  readonly path: Path;
}

/** Objects and lists around the leaves. */
function listParents(leaves: readonly Place[]): Iterable<Place> {
  const parents = leaves.flatMap(({ event, path }) =>
    path.slice(1).map((_, i) => ({ event, path: path.slice(0, i + 1) })),
  );
  return new Map(parents.map((place) => [`${place.event} ${place.path}`, place])).values();
}

/** A copy in which the owner of the leaf has been changed. */
function change(value: unknown, path: Path, edit: (owner: Record<string, unknown>, key: string) => void): unknown {
  const copy = structuredClone(value) as Record<string, unknown>;
  const owner = path.slice(0, -1).reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], copy);
  edit(owner as Record<string, unknown>, String(path.at(-1)));
  return copy;
}

type Edit = (owner: Record<string, unknown>, key: string) => void;

const set =
  (value: unknown): Edit =>
  (owner, key) => {
    owner[key] = value;
  };

const missing: Record<string, Edit> = {
  deleted: (owner, key) => {
    delete owner[key];
  },
  renamed: (owner, key) => {
    owner[`${key}_v2`] = owner[key];
    delete owner[key];
  },
  // What `NaN` becomes in JSON.
  null: set(null),
};

const mistyped: Record<string, Edit> = {
  'a string': set('12'),
  negative: set(-5),
  'a fraction': set(1.5),
  'beyond all counts': set(1e300),
  'beyond what a double holds': set(2 ** 53),
  true: set(true),
  'an object': set({ value: { value: 1 } }),
  'a list': set([[1]]),
};

/** Counts that a vendor may have sent: every number, and every sum of up to four that are large enough for a test's. */
function sumsOf(texts: readonly unknown[]): Set<number> {
  const numbers = new Set<number>();
  const collect = (value: unknown): void => {
    if (typeof value === 'number') numbers.add(value);
    else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) collect(part);
  };
  texts.forEach(collect);
  const counts = [...numbers].filter((count) => Number.isSafeInteger(count) && count > 500 && count < 1e9);
  let sums = new Set([0]);
  for (let terms = 0; terms < 4; terms++) {
    sums = new Set([...sums, ...[...sums].flatMap((sum) => counts.map((count) => sum + count))]);
  }
  return new Set([...sums, ...numbers]);
}

function expectNothingInvented({ attributes }: Seen, texts: readonly unknown[]): void {
  const sums = sumsOf(texts);
  for (const [name, value] of Object.entries(attributes)) {
    if (!/^(gen_ai|edgespan)\.usage\.|^llm\.\w+_tokens$/.test(name)) continue;
    expect(sums.has(value as number), `${name} ${value}`).toBe(true);
  }
  const cost = attributes['llm.cost_usd'];
  if (cost !== undefined) expect(cost).toBeGreaterThanOrEqual(0);
}

const usageOf = ({ attributes }: Seen) => [
  attributes['gen_ai.usage.input_tokens'],
  attributes['gen_ai.usage.output_tokens'],
];

describe('vendors that change their shapes', () => {
  it('are all here', () => {
    expect(providers.length).toBeGreaterThanOrEqual(2);
    expect(providers.map(({ name }) => name).filter((name) => !exchanges[name]?.length)).toEqual([]);
  });

  const known = new Set(providers.map(({ name }) => name));
  const all = Object.entries(exchanges)
    .filter(([name]) => known.has(name))
    .flatMap(([provider, list]) => list.map((exchange) => ({ provider, ...exchange })));

  describe.each(all)('$provider: $name', (exchange) => {
    const { framing, events, provider } = exchange;
    const play = createPlayer(exchange);
    const texts = events.map(({ data }) => data);
    const leaves = texts.flatMap((text, event) =>
      typeof text === 'string' ? [] : listLeaves(text).map((path) => ({ event, path })),
    );
    const edited = (event: number, path: Path, edit: Edit) =>
      events.map((given, i) => (i === event ? { ...given, data: change(given.data, path, edit) } : given));

    async function check(changed: typeof events): Promise<Seen> {
      const bytes = encode(framing, changed);
      const seen = await play(bytes);
      expect(seen.bytes).toEqual(bytes);
      expect(seen.spans).toHaveLength(1);
      expect(seen.spans[0]!.ended).toBe(true);
      expect(seen.parseErrors).toBeLessThanOrEqual(1);
      expectNothingInvented(
        seen,
        changed.map(({ data }) => data),
      );
      return seen;
    }

    it('is read as it is', async () => {
      const seen = await check(events);
      expect(seen.attributes['llm.provider']).toBe(provider);
      expect([usageOf(seen), seen.parseErrors]).toEqual([exchange.usage, 0]);
    });

    it.each(Object.entries({ ...missing, ...mistyped }))('with any field %s', async (_kind, edit) => {
      for (const { event, path } of leaves) await check(edited(event, path, edit));
    });

    it('with any object or list in another’s place', async () => {
      for (const { event, path } of listParents(leaves)) {
        for (const edit of [missing.deleted!, set('text'), set(7), set(null), set([]), set({}), set([null])]) {
          await check(edited(event, path, edit));
        }
      }
    });

    const counts = leaves.filter(({ path }) => exchange.counts.includes(String(path.at(-1))));

    it.skipIf(exchange.counts.length === 0)('counts a mistyped count once', async () => {
      expect(counts.length).toBeGreaterThan(0);
      for (const { event, path } of counts) {
        for (const edit of Object.values(mistyped)) {
          const seen = await check(edited(event, path, edit));
          // What a later event replaces is never read.
          const isReplaced = framing !== 'json' && isDeepStrictEqual(usageOf(seen), exchange.usage);
          if (!isReplaced) expect(seen.parseErrors, path.join('.')).toBe(1);
        }
      }
    });

    it.skipIf(framing !== 'json' || exchange.counts.length === 0)('counts a missing count once', async () => {
      for (const { event, path } of counts) {
        for (const [kind, edit] of Object.entries(missing)) {
          const seen = await check(edited(event, path, edit));
          // Some vendors say it twice.
          const isTold = usageOf(seen).every((count, i) => count !== undefined || exchange.usage[i] === undefined);
          expect(seen.parseErrors, `${path.join('.')} ${kind}`).toBe(isTold ? 0 : 1);
        }
      }
    });

    it('counts a usage once that is no object', async () => {
      for (const { event, path } of listParents(leaves)) {
        if (!/^usage/i.test(String(path.at(-1)))) continue;
        for (const value of ['text', 7, true, [1]]) {
          const seen = await check(edited(event, path, set(value)));
          const isReplaced = isDeepStrictEqual(usageOf(seen), exchange.usage);
          if (!isReplaced) expect(seen.parseErrors, `${path.join('.')} ${value}`).toBe(1);
        }
      }
    });

    it('whatever its texts are', async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(events.length - 1), fc.jsonValue(), async (event, data) => {
          await check(
            events.map((given, i) => (i === event ? { ...given, data: JSON.parse(JSON.stringify(data)) } : given)),
          );
        }),
        { numRuns: 30 },
      );
    });

    it('whatever its bytes are', async () => {
      const bytes = encode(framing, events);
      const flip = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
      await fc.assert(
        fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 8 }), fc.nat(bytes.length), async (flips, end) => {
          const broken = bytes.slice(0, end);
          for (const [at, byte] of flips) if (at < end) broken[at] = byte;
          const seen = await play(broken);
          expect(seen.bytes).toEqual(broken);
          expect(seen.spans).toHaveLength(1);
          expect(seen.parseErrors).toBeLessThanOrEqual(1);
        }),
        { numRuns: 30 },
      );
    });
  });
});

interface Fixture {
  readonly id: string;
  readonly provider: string;
  readonly streaming: boolean;
  readonly request?: { readonly url: string; readonly body?: string };
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly framing: string;
  };
}

const folder = new URL('../../../shared/fixtures/', import.meta.url);

function listFixtures(): Fixture[] {
  if (!existsSync(new URL('manifest.json', folder))) return [];
  const { fixtures } = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')) as { fixtures: Fixture[] };
  const known = new Set(providers.map(({ name }) => name));
  return fixtures.filter(({ provider, request, response }) => {
    return known.has(provider) && request !== undefined && !response.framing.includes('eventstream');
  });
}

const fixtures = listFixtures();

describe.skipIf(fixtures.length === 0)('recordings whose values have changed', () => {
  // A string stays one, so that the framing stays what it was.
  const value = /(?<=":\s*)(?:-?\d[\d.eE+-]*|null|true|false)(?=\s*[,}\]])/g;
  const instead = ['"12"', '-5', '1.5', '1e300', '9007199254740992', 'null', '{"a":{"b":1}}', '[[1]]', '1e400'];

  it.each(fixtures)('$id', async ({ request, response }) => {
    const { status, headers } = response;
    const original = readFileSync(new URL(response.body, folder), 'utf8');
    const places = [...original.matchAll(value)];
    let text = original;
    const telemetry = createTestTelemetry({
      providers,
      fetch: async () => new Response(text, { status, headers }),
      onError: (error) => expect.unreachable(String(error)),
    });
    const body = request!.body && readFileSync(new URL(request!.body, folder), 'utf8');
    const errors = () => telemetry.metrics.value('edgespan_parse_errors_total') ?? 0;
    const play = async () => {
      telemetry.clearSpans();
      const before = errors();
      const answer = await telemetry.fetch(request!.url, { method: 'POST', ...(body && { body }) });
      expect(await answer.text()).toBe(text);
      expect(telemetry.spans).toHaveLength(1);
      expect(errors() - before).toBeLessThanOrEqual(1);
      return telemetry.spans[0]!.attributes;
    };
    const before = await play();
    await fc.assert(
      fc.asyncProperty(fc.nat(Math.max(0, places.length - 1)), fc.constantFrom(...instead), async (at, replacement) => {
        const place = places[at];
        if (!place) return;
        text = original.slice(0, place.index) + replacement + original.slice(place.index + place[0].length);
        const after = await play();
        const numbers = new Set([...text.matchAll(value)].map(([found]) => Number(found)));
        for (const name of ['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens']) {
          const count = after[name] as number | undefined;
          if (count === undefined || count === before[name] || numbers.has(count)) continue;
          const isSum = [...numbers].some(
            (one) => numbers.has(count - one) || [...numbers].some((two) => numbers.has(count - one - two)),
          );
          expect(isSum, `${name} ${count}`).toBe(true);
        }
      }),
      { numRuns: 12 },
    );
  });
});
