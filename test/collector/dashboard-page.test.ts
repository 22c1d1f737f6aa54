import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSpan, readSummary, type SpanView } from '../../src/collector/dashboard/page/answers.ts';
import { readCaptured } from '../../src/collector/dashboard/page/conversation.ts';
import { formatCost, formatDuration, formatShare } from '../../src/collector/dashboard/page/format.ts';
import { formatRoute, parseRoute, type Route } from '../../src/collector/dashboard/page/route.ts';
import {
  type Group,
  knownTotal,
  lonely,
  maxGroups,
  peak,
  readStats,
  stack,
  total,
} from '../../src/collector/dashboard/page/series.ts';
import { layOut, summaryOf, ticks, visibleRows } from '../../src/collector/dashboard/page/span-tree.ts';

function span(id: string, parent: string | undefined, start: number, more: Record<string, unknown> = {}): SpanView {
  const parts = { span_id: id, name: id, service: 's', start_ms: start, end_ms: start + 10, attributes: {}, ...more };
  return readSpan({ ...parts, ...(parent !== undefined && { parent_span_id: parent }) })!;
}

describe('figures', () => {
  it.each([
    [undefined, '–'],
    [0, '0 ms'],
    [0.004, '<0.01 ms'],
    [0.5, '0.50 ms'],
    [9.996, '10 ms'],
    [312.4, '312 ms'],
    [999.6, '1.00 s'],
    [59_994, '59.99 s'],
    [59_996, '1 m 00 s'],
    [125_000, '2 m 05 s'],
    [3_600_000, '1 h 00 m'],
    [3_599_600, '1 h 00 m'],
  ])('%s ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    [undefined, '–'],
    [0, '$0.00'],
    [1234.5, '$1,234.50'],
    [0.0079, '$0.0079'],
    [0.00005, '$0.0001'],
    [0.000012, '$0.000012'],
    [0.0000001, '<$0.000001'],
  ])('%s dollars are %s', (usd, text) => expect(formatCost(usd)).toBe(text));

  it('of shares', () =>
    expect([0, 0.00001, 0.0149, 0.5, undefined].map(formatShare)).toEqual(['0%', '<0.01%', '1.49%', '50.0%', '–']));
});

describe('addresses', () => {
  it('say what is looked at, and are read as they were written', () => {
    const text = fc.string({ minLength: 1 }).filter((value) => value.trim() === value && value !== '');
    const amount = fc.double({ min: 0, max: 1e9, noNaN: true });
    const status = fc.constantFrom('ok' as const, 'error' as const);
    const fields = { service: text, model: text, status, minDurationMs: amount, minCostUsd: amount };
    const filters = fc.record(fields, { requiredKeys: [] });
    const route = fc.oneof(
      filters.map((given): Route => ({ view: 'traces', filters: given })),
      fc.constant<Route>({ view: 'charts', by: 'agent', minutes: 360, percentile: 'p99' }),
      fc.constant<Route>({ view: 'trace', id: 'a'.repeat(32), span: 'b'.repeat(16) }),
    );
    fc.assert(
      fc.property(route, (given) => {
        expect(parseRoute(formatRoute(given))).toEqual(normal(given));
      }),
    );
  });

  it.each(['', '#', '#/x', '#/trace/nothing', '#/traces?status=odd&min_cost_usd=-1&min_duration_ms=x'])(
    'show all traces where they say nothing: %s',
    (hash) => expect(parseRoute(hash)).toEqual({ view: 'traces', filters: {} }),
  );

  it('of charts have defaults for what they say wrongly', () =>
    expect(parseRoute('#/charts?by=x&window=7&latency=p1')).toEqual({
      ...{ view: 'charts', by: 'model', minutes: 60, percentile: 'p95' },
    }));
});

/** −0 is written as 0. */
function normal(route: Route): Route {
  return JSON.parse(JSON.stringify(route)) as Route;
}

describe('the waterfall', () => {
  it('has each span once, after its parent, whatever their parents are', () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const parents = fc.dictionary(id, fc.option(id, { nil: undefined }));
    fc.assert(
      fc.property(parents, (given) => {
        const spans = Object.entries(given).map(([name, parent], i) => span(name, parent, i));
        const rows = layOut(spans);
        expect(rows.map((row) => row.span.id).sort()).toEqual(Object.keys(given).sort());
        for (const [i, { depth, inside }] of rows.entries()) {
          expect(depth).toBeLessThanOrEqual((rows[i - 1]?.depth ?? -1) + 1);
          expect(rows.slice(i + 1, i + 1 + inside).every((row) => row.depth > depth)).toBe(true);
        }
      }),
    );
  });

  it('folds away what is inside, and says whether that failed', () => {
    const failed = { status: 'error' };
    const rows = layOut([span('a', undefined, 0), span('b', 'a', 1), span('c', 'b', 2, failed), span('d', 'a', 3)]);
    expect(rows.map(({ failedInside }) => failedInside)).toEqual([true, true, false, false]);
    expect(visibleRows(rows, new Set(['b'])).map((row) => row.span.id)).toEqual(['a', 'b', 'd']);
    expect(visibleRows(rows, new Set(['a', 'b'])).map((row) => row.span.id)).toEqual(['a']);
  });

  it('sums up a trace as the list does', () => {
    const call = { 'gen_ai.operation.name': 'chat', 'gen_ai.response.model': 'm', 'gen_ai.usage.input_tokens': 3 };
    const agent = { attributes: { ...call, 'gen_ai.operation.name': 'invoke_agent' } };
    const spans = [span('a', undefined, 0, agent), span('b', 'a', 1, { attributes: { ...call, 'llm.cost_usd': 0.5 } })];
    expect(summaryOf('t', spans)).toMatchObject({ tokens: 3, costUsd: 0.5, models: ['m'], durationMs: 11 });
  });

  it.each([
    [3860, [0, 1000, 2000, 3000]],
    [0.9, [0, 0.2, 0.4, 0.6, 0.8]],
    [0, [0]],
  ])('has round times on its axis: %s', (total, expected) => {
    expect(ticks(total, 5).map((tick) => Number(tick.toPrecision(6)))).toEqual(expected);
  });
});

describe('what was said', () => {
  it.each([
    ['by the conventions', { 'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]' }],
    ['as a value', { 'gen_ai.input.messages': [{ role: 'user', parts: [{ type: 'text', content: 'Hi' }] }] }],
    ['by numbers', { 'gen_ai.prompt.0.role': 'user', 'gen_ai.prompt.0.content': 'Hi' }],
    ['by OpenInference', { 'llm.input_messages.0.message.role': 'user', 'llm.input_messages.0.message.content': 'Hi' }],
    ['by the AI SDK', { 'ai.prompt.messages': '[{"role":"user","content":[{"type":"text","text":"Hi"}]}]' }],
  ])('is read %s', (_name, attributes) => {
    const { messages, read } = readCaptured(attributes);
    expect(messages).toEqual([{ role: 'user', pieces: [{ kind: 'text', text: 'Hi' }] }]);
    expect([...read].sort()).toEqual(Object.keys(attributes).sort());
  });

  it('has calls, results, thoughts and media, and what is none of these', () => {
    const parts = [
      { type: 'reasoning', content: 'hm' },
      { type: 'tool_call', name: 'find', arguments: { q: 1 } },
      { type: 'tool_call_response', id: 'c1', response: 'found' },
      { type: 'server_tool_call', name: 'web_search', server_tool_call: { q: 2 } },
      { type: 'server_tool_call_response', id: 's1', server_tool_call_response: { found: 3 } },
      { type: 'blob', modality: 'image', mime_type: 'image/png', bytes: 10 },
      'plain',
    ];
    const { messages } = readCaptured({ 'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts }]) });
    expect(messages[0]!.pieces).toEqual([
      { kind: 'reasoning', text: 'hm' },
      { kind: 'call', label: 'find', text: '{\n  "q": 1\n}' },
      { kind: 'result', label: 'c1', text: 'found' },
      { kind: 'call', label: 'web_search', text: '{\n  "q": 2\n}' },
      { kind: 'result', label: 's1', text: '{\n  "found": 3\n}' },
      {
        kind: 'media',
        label: 'image',
        text: '{\n  "modality": "image",\n  "mime_type": "image/png",\n  "bytes": 10\n}',
      },
      { kind: 'text', text: 'plain' },
    ]);
  });

  it('has no role where that is no text', () => {
    const said = readCaptured({ 'gen_ai.prompt.0.role': { toString: {} }, 'gen_ai.prompt.0.content': 'why' });
    expect(said.messages).toEqual([{ role: 'user', pieces: [{ kind: 'text', text: 'why' }] }]);
  });

  it('is read from anything without an error', () => {
    const names = fc.constantFrom('gen_ai.input.messages', 'gen_ai.system_instructions', 'gen_ai.prompt.0.role', 'x');
    fc.assert(
      fc.property(fc.dictionary(names, fc.oneof(fc.jsonValue(), fc.json())), (attributes) => {
        for (const { pieces } of readCaptured(attributes).messages) {
          expect(pieces.every(({ text }) => typeof text === 'string')).toBe(true);
        }
      }),
    );
  });
});

describe('answers', () => {
  it('that are none are left out', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readSummary(value);
        readSpan(value);
        readStats(value);
      }),
    );
    expect(readSummary({ name: 'no id' })).toBeUndefined();
    expect(readSpan({ span_id: 'no start' })).toBeUndefined();
  });

  it('of charts are about the time asked for, though nobody has called', () => {
    const answer = { start_ms: 60_000, step_ms: 60_000, groups: {} };
    expect(readStats(answer, 3).times).toEqual([60, 120, 180]);
    expect(readStats({ ...answer, step_ms: 300_000 }, 1440).times).toHaveLength(288);
  });

  it('of charts have eight groups at most, the others as one without percentiles', () => {
    const group = (requests: number) => ({ requests: [requests, 0], p95_ms: [requests, null], cost_usd: [null, 0] });
    const groups = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`g${i}`, group(i)]));
    const stats = readStats({ start_ms: 60_000, step_ms: 60_000, groups });
    expect(stats.times).toEqual([60, 120]);
    expect(stats.groups).toHaveLength(maxGroups);
    const rest = stats.groups.at(-1)!;
    expect(rest).toMatchObject({ name: '3 others', isRest: true });
    expect([total(rest, 'requests'), peak(rest, 'p95_ms')]).toEqual([3, undefined]);
    const [first] = stats.groups as [Group];
    expect([first.name, peak(first, 'p95_ms'), knownTotal(first, 'cost_usd')]).toEqual(['g9', 9, undefined]);
  });

  it('stack, and lone points are found', () => {
    expect(stack([[1, null], [2, 3]])).toEqual([[1, 0], [3, 3]]); // biome-ignore format: rows
    expect(lonely([1, null, 2, null, null, null, 3], 2)).toEqual([6]);
    expect(lonely([1, null, 2], 1)).toEqual([0, 2]);
  });
});
