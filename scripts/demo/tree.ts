import { styleText } from 'node:util';
import type { ReceivedSpan } from './receiver.ts';

const width = 46;
const columns = [
  ['duration', 10],
  ['model', 28],
  ['tokens', 13],
  ['cost', 12],
  ['first token', 12],
] as const;

/** The traces that arrived, oldest first, each a tree. */
export function renderTraces(spans: readonly ReceivedSpan[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentSpanId }) => !parentSpanId || !ids.has(parentSpanId));
  const head = ' '.repeat(width) + columns.map(([title, size]) => title.padStart(size)).join('');
  const trees = byStart(roots).map((root) => {
    const title = styleText('dim', `trace ${root.traceId}`);
    return [title, ...renderTree(root, spans, '', '')].join('\n');
  });
  return [styleText('dim', head), ...trees].join('\n');
}

function renderTree(span: ReceivedSpan, all: readonly ReceivedSpan[], own: string, below: string): string[] {
  const children = byStart(
    all.filter(({ traceId, parentSpanId }) => traceId === span.traceId && parentSpanId === span.spanId),
  );
  const lines = children.flatMap((child, i) => {
    const last = i === children.length - 1;
    return renderTree(child, all, below + (last ? '└─ ' : '├─ '), below + (last ? '   ' : '│  '));
  });
  return [renderLine(span, own), ...lines];
}

function renderLine(span: ReceivedSpan, indent: string): string {
  const failed = span.status?.code === 2;
  const name = `${indent}${span.name}`.slice(0, width - 1).padEnd(width);
  const cells = cellsOf(span)
    .map((cell, i) => cell.padStart(columns[i]![1]))
    .join('');
  const problem = failed ? `  ${span.attributes['error.type'] ?? 'error'}` : '';
  return failed ? styleText('red', name + cells + problem) : styleText('bold', name) + cells.trimEnd();
}

function cellsOf({ attributes: a, startTimeUnixNano, endTimeUnixNano }: ReceivedSpan): string[] {
  const ms = Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6;
  const input = a['gen_ai.usage.input_tokens'];
  const output = a['gen_ai.usage.output_tokens'];
  const cost = a['llm.cost_usd'];
  const first = a['gen_ai.response.time_to_first_chunk'];
  return [
    `${ms.toFixed(1)} ms`,
    String(a['gen_ai.response.model'] ?? a['gen_ai.request.model'] ?? ''),
    input === undefined && output === undefined ? '' : `${input ?? '?'} → ${output ?? '?'}`,
    typeof cost === 'number' ? `$${cost.toFixed(6)}` : '',
    typeof first === 'number' ? `${(first * 1000).toFixed(0)} ms` : '',
  ];
}

function byStart(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  const time = ({ startTimeUnixNano }: ReceivedSpan) => BigInt(startTimeUnixNano);
  return [...spans].sort((a, b) => (time(a) < time(b) ? -1 : time(a) > time(b) ? 1 : 0));
}
