import type { TraceStore } from '../../src/collector/trace-store.ts';
import { createResource, type ReadableSpan } from '../../src/trace/readable-span.ts';
import { equal, ok } from './assert.ts';

export interface TraceStoreBounds {
  readonly maxTraces: number;
  readonly maxSpansPerTrace: number;
}

export interface TraceStoreTest {
  readonly name: string;
  run(create: (bounds?: Partial<TraceStoreBounds>) => Promise<TraceStore>): Promise<void>;
}

const startSeconds = 1_700_000_000;

interface SpanParts {
  trace: number;
  span: number;
  parent?: number;
  name?: string;
  service?: string;
  /** Seconds after the first. */
  at?: number;
  ms?: number;
  failed?: boolean;
  attributes?: ReadableSpan['attributes'];
}

export const idOf = (number: number, length: 16 | 32): string => number.toString(16).padStart(length, '0');

/** A span of which a test says only what it is about. */
export function spanOf({ trace, span, parent, name = 'work', service = 'shop', ...rest }: SpanParts): ReadableSpan {
  const { at = 0, ms = 1000, failed = false, attributes = {} } = rest;
  const traceId = idOf(trace, 32);
  const end = startSeconds + at + Math.floor(ms / 1000);
  return {
    name,
    kind: 0,
    spanContext: () => ({ traceId, spanId: idOf(span, 16), traceFlags: 1 }),
    ...(parent && { parentSpanContext: { traceId, spanId: idOf(parent, 16), traceFlags: 1 } }),
    startTime: [startSeconds + at, 0],
    endTime: [end, (ms % 1000) * 1e6],
    duration: [Math.floor(ms / 1000), (ms % 1000) * 1e6],
    ended: true,
    status: { code: failed ? 2 : 0 },
    attributes,
    links: [],
    events: [],
    resource: createResource({ 'service.name': service }),
    instrumentationScope: { name: 'test' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function call(model: string, tokens: number, cost: number): ReadableSpan['attributes'] {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.response.model': model,
    'gen_ai.usage.input_tokens': tokens - 1,
    'gen_ai.usage.output_tokens': 1,
    'llm.cost_usd': cost,
  };
}

const ids = (traces: readonly { traceId: string }[]) => traces.map(({ traceId }) => Number.parseInt(traceId, 16));

/** What users of a trace store rely on, whatever keeps the traces. */
export const traceStoreContract: readonly TraceStoreTest[] = [
  {
    name: 'gives back what it was given, by start time',
    async run(create) {
      const store = await create();
      const root = spanOf({
        trace: 1,
        span: 1,
        name: 'root',
        attributes: { a: 'x', n: 7, list: ['p', 'q'], big: 2 ** 60 },
      });
      await store.add([spanOf({ trace: 1, span: 2, parent: 1, at: 1 }), root], 'a');
      await store.add([spanOf({ trace: 1, span: 3, parent: 1, at: 0.5 })], 'a');
      const spans = (await store.get(idOf(1, 32), 'a')) ?? [];
      equal(
        spans.map((span) => Number(span.spanContext().spanId)),
        [1, 3, 2],
      );
      equal(spans[0]!.attributes, root.attributes);
      equal([spans[0]!.name, spans[0]!.startTime, spans[0]!.endTime], [root.name, root.startTime, root.endTime]);
      equal(spans[2]!.parentSpanContext?.spanId, idOf(1, 16));
      equal(spans[0]!.resource.attributes, { 'service.name': 'shop' });
    },
  },
  {
    name: 'sums a trace up',
    async run(create) {
      const store = await create();
      await store.add(
        [
          // The whole restates its parts.
          spanOf({ trace: 1, span: 1, name: 'agent', ms: 5000, attributes: { 'gen_ai.usage.input_tokens': 300 } }),
          spanOf({ trace: 1, span: 2, parent: 1, at: 1, attributes: call('gpt-4o', 100, 0.25) }),
          spanOf({
            trace: 1,
            span: 3,
            parent: 1,
            at: 2,
            ms: 6500,
            service: 'tools',
            attributes: call('claude', 200, 0.5),
            failed: true,
          }),
        ],
        'a',
      );
      await store.add([spanOf({ trace: 2, span: 9, at: 20 })], 'a');
      const { traces } = await store.query({}, 'a');
      equal(traces, [
        {
          ...traces[0]!,
          traceId: idOf(2, 32),
          spanCount: 1,
          status: 'ok',
          models: [],
          tokens: undefined,
          costUsd: undefined,
        },
        {
          traceId: idOf(1, 32),
          name: 'agent',
          service: 'shop',
          start: startSeconds * 1000,
          durationMs: 8500,
          spanCount: 3,
          status: 'error',
          models: ['claude', 'gpt-4o'],
          tokens: 300,
          costUsd: 0.75,
        },
      ]);
    },
  },
  {
    name: 'asks what spans cost that do not say it, and changes none',
    async run(create) {
      const store = await create();
      const { 'llm.cost_usd': _cost, ...silent } = call('gpt-4o', 100, 0);
      const spans = [
        spanOf({ trace: 1, span: 1, attributes: silent }),
        spanOf({ trace: 1, span: 2, parent: 1, at: 1, attributes: silent }),
        spanOf({ trace: 1, span: 3, parent: 1, at: 2, attributes: call('gpt-4o', 100, 0.5) }),
        spanOf({ trace: 2, span: 4, at: 3, attributes: { ...silent, free: true } }),
      ];
      // What a whole costs is what its parts do.
      const costOf = ({ attributes }: ReadableSpan) => (attributes.free ? undefined : 0.25);
      await store.add(spans, 'a', costOf);
      await store.add(spans, 'b');
      const { traces } = await store.query({}, 'a');
      equal(
        traces.map(({ costUsd }) => costUsd),
        [undefined, 0.75],
      );
      equal(ids((await store.query({ minCostUsd: 0.6 }, 'a')).traces), [1]);
      equal((await store.query({ minCostUsd: 0.6 }, 'b')).traces, []);
      const kept = await store.get(idOf(1, 32), 'a');
      equal(
        kept?.map(({ attributes }) => attributes),
        spans.slice(0, 3).map(({ attributes }) => attributes),
      );
    },
  },
  {
    name: 'names a trace after its root, whatever comes first',
    async run(create) {
      const store = await create();
      // Its parent never comes.
      await store.add([spanOf({ trace: 1, span: 3, parent: 9, at: 1, name: 'orphan' })], 't');
      await store.add([spanOf({ trace: 1, span: 2, parent: 4, name: 'child', service: 'tools' })], 't');
      await store.add([spanOf({ trace: 1, span: 4, name: 'root', ms: 3000 })], 't');
      // The root is with somebody else: the earliest of those that come from there.
      await store.add([spanOf({ trace: 2, span: 1, parent: 8, at: 3, name: 'later' })], 't');
      await store.add([spanOf({ trace: 2, span: 2, parent: 8, at: 2, name: 'sooner' })], 't');
      const { traces } = await store.query({}, 't');
      equal(
        traces.map(({ name, service }) => [name, service]),
        [
          ['sooner', 'shop'],
          ['root', 'shop'],
        ],
      );
    },
  },
  {
    name: 'stays readable whatever a span says of its tokens',
    async run(create) {
      const store = await create();
      const most = { 'gen_ai.usage.input_tokens': 2 ** 53 - 1, 'gen_ai.usage.output_tokens': 2 ** 53 - 1 };
      await store.add([spanOf({ trace: 1, span: 1, attributes: { ...call('m', 1, 0), ...most } })], 't');
      await store.add([spanOf({ trace: 1, span: 2, attributes: { ...call('m', 1, 0), ...most } })], 't');
      const { traces } = await store.query({}, 't');
      equal(
        traces.map(({ spanCount, tokens }) => [spanCount, tokens]),
        [[2, 2 ** 53 - 1]],
      );
    },
  },
  {
    name: 'finds by service, model, status, duration, cost and time, all at once',
    async run(create) {
      const store = await create();
      await store.add([spanOf({ trace: 1, span: 1, service: 'a', ms: 100 })], 't');
      await store.add([spanOf({ trace: 2, span: 2, service: 'b', at: 10, ms: 5000, failed: true })], 't');
      await store.add([spanOf({ trace: 3, span: 3, service: 'b', at: 20, attributes: call("x'; --", 10, 0.01) })], 't');
      await store.add(
        [spanOf({ trace: 3, span: 4, parent: 3, service: 'a', at: 20, attributes: call('m', 10, 0.02) })],
        't',
      );
      const find = async (query: Parameters<TraceStore['query']>[0]) => ids((await store.query(query, 't')).traces);
      equal(await find({}), [3, 2, 1]);
      equal(await find({ service: 'a' }), [3, 1]);
      equal(await find({ model: "x'; --" }), [3]);
      equal(await find({ model: "' OR 1=1 --" }), []);
      equal(await find({ status: 'error' }), [2]);
      equal(await find({ status: 'ok' }), [3, 1]);
      equal(await find({ minDurationMs: 1000 }), [3, 2]);
      equal(await find({ minCostUsd: 0.01 }), [3]);
      equal(await find({ minCostUsd: 0 }), [3]);
      equal(await find({ since: (startSeconds + 15) * 1000 }), [3, 2]);
      equal(await find({ service: 'b', status: 'ok', model: 'm' }), [3]);
    },
  },
  {
    name: 'goes on where a page ended, without a trace twice or none',
    async run(create) {
      const store = await create();
      // Several begin at once.
      for (let i = 1; i <= 25; i++) await store.add([spanOf({ trace: i, span: i, at: Math.floor(i / 4) })], 't');
      const seen: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.query({ limit: 4, ...(cursor && { cursor }) }, 't');
        ok(page.traces.length <= 4, 'a page is no longer than asked');
        seen.push(...ids(page.traces));
        cursor = page.cursor;
      } while (cursor);
      equal(
        seen,
        Array.from({ length: 25 }, (_, i) => 25 - i),
      );
      equal((await store.query({}, 't')).traces.length, 20);
      // 1001.971069 ms are 1001.9710689999999 in a double.
      await store.add([{ ...spanOf({ trace: 2, span: 2 }), startTime: [1, 1_971_069] }], 'fractions');
      await store.add([{ ...spanOf({ trace: 1, span: 1 }), startTime: [1, 0] }], 'fractions');
      const first = await store.query({ limit: 1 }, 'fractions');
      equal(ids((await store.query({ limit: 1, cursor: first.cursor! }, 'fractions')).traces), [1]);
      equal((await store.query({ limit: 0 }, 't')).traces.length, 1);
      equal((await store.query({ limit: Number.NaN, cursor: 'nonsense' }, 't')).traces.length, 20);
    },
  },
  {
    name: 'keeps tenants apart',
    async run(create) {
      const store = await create();
      await store.add([spanOf({ trace: 1, span: 1, name: 'of a' })], 'a');
      await store.add([spanOf({ trace: 1, span: 1, name: 'of b' }), spanOf({ trace: 2, span: 2 })], 'b');
      equal(
        (await store.get(idOf(1, 32), 'a'))?.map(({ name }) => name),
        ['of a'],
      );
      equal(
        (await store.get(idOf(1, 32), 'b'))?.map(({ name }) => name),
        ['of b'],
      );
      equal(await store.get(idOf(2, 32), 'a'), undefined);
      equal(ids((await store.query({}, 'a')).traces), [1]);
      equal((await store.query({}, 'nobody')).traces, []);
    },
  },
  {
    name: 'says how many traces it has, of all tenants',
    async run(create) {
      const store = await create();
      // Not all of them can.
      if (!store.size) return;
      equal(await store.size(), 0);
      await store.add([spanOf({ trace: 1, span: 1 }), spanOf({ trace: 2, span: 2 })], 'a');
      equal(await store.size(), 2);
      await store.add([spanOf({ trace: 1, span: 1 })], 'b');
      await store.add([spanOf({ trace: 2, span: 3, parent: 2 })], 'a');
      equal(await store.size(), 3);
    },
  },
  {
    name: 'takes a span that comes again in the place of the first',
    async run(create) {
      const store = await create();
      await store.add([spanOf({ trace: 1, span: 1, attributes: call('m', 10, 1) })], 't');
      await store.add([spanOf({ trace: 1, span: 1, attributes: call('m', 20, 2) })], 't');
      const { traces } = await store.query({}, 't');
      equal([traces[0]!.spanCount, traces[0]!.tokens, traces[0]!.costUsd], [1, 20, 2]);
      equal((await store.get(idOf(1, 32), 't'))?.length, 1);
    },
  },
  {
    name: 'lets the least recently updated trace go, and keeps no more spans than it may',
    async run(create) {
      const store = await create({ maxTraces: 3, maxSpansPerTrace: 5 });
      for (let i = 1; i <= 3; i++) await store.add([spanOf({ trace: i, span: i, at: i })], 't');
      await store.add([spanOf({ trace: 1, span: 50, at: 9 })], 't');
      await store.add([spanOf({ trace: 4, span: 4, at: 4 })], 't');
      equal(ids((await store.query({}, 't')).traces).sort(), [1, 3, 4]);
      equal(await store.size?.(), 3);
      equal(await store.get(idOf(2, 32), 't'), undefined);
      await store.add(
        Array.from({ length: 20 }, (_, i) => spanOf({ trace: 4, span: 100 + i })),
        't',
      );
      equal((await store.get(idOf(4, 32), 't'))?.length, 5);
    },
  },
  {
    name: 'takes a span however long it is, and what came with it',
    async run(create) {
      const store = await create();
      const long = 'x'.repeat(2_500_000);
      const attributes = { ...call('gpt-4o', 100, 0.25), 'gen_ai.input.messages': long, user: 'ann' };
      await store.add(
        [
          spanOf({ trace: 1, span: 1, attributes }),
          spanOf({ trace: 1, span: 2, parent: 1, name: `name ${long}`, service: long }),
          spanOf({ trace: 1, span: 3, parent: 1, attributes: { escaped: '\u0001'.repeat(500_000), user: 'bob' } }),
          { ...spanOf({ trace: 1, span: 4, parent: 1 }), events: [{ name: 'e', time: [1, 0], attributes: { long } }] },
        ],
        't',
      );
      await store.add([spanOf({ trace: 1, span: 5, parent: 1 })], 't');
      const spans = (await store.get(idOf(1, 32), 't')) ?? [];
      equal(spans.length, 5);
      equal(
        spans.map((span) => span.attributes.user).filter((user) => user !== undefined),
        ['ann', 'bob'],
      );
      ok(
        spans[0]!.attributes['gen_ai.input.messages'] === long || spans[0]!.droppedAttributesCount === 1,
        'what is not there is counted',
      );
      const { traces } = await store.query({}, 't');
      equal([traces[0]!.spanCount, traces[0]!.tokens, traces[0]!.models], [5, 100, ['gpt-4o']]);
    },
  },
  {
    name: 'has nothing for an id that is none, and adds nothing of nothing',
    async run(create) {
      const store = await create();
      await store.add([], 't');
      equal(await store.get('nonsense', 't'), undefined);
      equal(await store.get("' OR 1=1 --", 't'), undefined);
      equal((await store.query({}, 't')).traces, []);
    },
  },
];

/** For stores elsewhere, with bounds of their own: what lets traces go is tested where the store is made in process. */
export const traceStoreContractWithoutBounds = traceStoreContract.filter(
  ({ name }) => !name.startsWith('lets the least recently'),
);
