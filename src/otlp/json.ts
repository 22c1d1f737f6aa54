import type { MetricsSnapshot } from '../metrics/snapshot.ts';
import type { InstrumentationScope, ReadableSpan } from '../trace/readable-span.ts';
import type { OtlpEncoder } from './encoder.ts';
import { defaultScope, groupFamilies, groupSpans } from './grouping.ts';
import { appendFamily } from './json-metric.ts';
import { appendSpan } from './json-span.ts';
import { appendAttributes, escapeText, type KeyCache } from './json-value.ts';
import { createTextBuffer } from './text-buffer.ts';

/** Spans are encoded in pieces of about that many characters. */
const pieceLength = 65_536;

/** OTLP as JSON. 64-bit integers are strings, ids hex; most fields that have their default value are left out. */
export const json: OtlpEncoder = { contentType: 'application/json', traces: encodeTraces, metrics: encodeMetrics };

function encodeTraces(spans: readonly ReadableSpan[]): Uint8Array {
  const buffer = createTextBuffer();
  const keys: KeyCache = new Map();
  let text = '{"resourceSpans":[';
  let separator = '';
  for (const [resource, scopes] of groupSpans(spans)) {
    text = `${appendAttributes(`${text}${separator}{"resource":{`, resource.attributes, keys)}},"scopeSpans":[`;
    separator = '';
    for (const group of scopes.values()) {
      const scope = group[0]!.instrumentationScope;
      text += `${separator}{${encodeScope(scope)},"spans":[`;
      separator = '';
      for (const span of group) {
        text = appendSpan(text + separator, span, keys);
        separator = ',';
        if (text.length < pieceLength) continue;
        buffer.push(text);
        text = '';
      }
      text += `]${encodeSchema(scope.schemaUrl)}}`;
    }
    text += `]${encodeSchema(resource.schemaUrl)}}`;
  }
  buffer.push(`${text}]}`);
  return buffer.finish();
}

function encodeMetrics(snapshot: MetricsSnapshot): Uint8Array {
  const keys: KeyCache = new Map();
  let text = '{"resourceMetrics":[';
  const groups = groupFamilies(snapshot);
  if (groups.length > 0) {
    text = `${appendAttributes(`${text}{"resource":{`, snapshot.resource, keys)}},"scopeMetrics":[`;
    groups.forEach((families, index) => {
      const scope = families[0]!.scope ?? defaultScope;
      text += `${index ? ',' : ''}{${encodeScope(scope)},"metrics":[`;
      families.forEach((family, place) => {
        text = appendFamily(place ? `${text},` : text, family, snapshot, keys);
      });
      text += `]${encodeSchema(scope.schemaUrl)}}`;
    });
    text += ']}';
  }
  return new TextEncoder().encode(`${text}]}`);
}

function encodeScope({ name, version }: InstrumentationScope): string {
  return `"scope":{"name":"${escapeText(name)}"${version ? `,"version":"${escapeText(version)}"` : ''}}`;
}

function encodeSchema(url: string | undefined): string {
  return url ? `,"schemaUrl":"${escapeText(url)}"` : '';
}
