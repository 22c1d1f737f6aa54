import { toWellFormed } from '../../src/attributes.ts';
import { asArray, parseJson } from '../../src/json.ts';
import { familyKey, seriesKey } from '../../src/metrics/merge.ts';
import type { Point } from '../../src/metrics/snapshot.ts';
import type { BatchFamily } from '../../src/metrics/store.ts';
import type { FamilySeries } from '../../src/metrics/stored-family.ts';
import type { ScaledSums } from '../../src/metrics/stored-integer.ts';
import type { StoredExemplar, StoredFamily, StoredSeries } from '../../src/metrics/stored-series.ts';

/** What makes two families of one name and scope differ, besides the unit; as a text that is equal where they are. */
function shapeOf({ type, additive, bounds }: BatchFamily): string {
  return JSON.stringify([type, Boolean(additive), bounds]);
}

/**
 * A family of a batch as the script takes it; all numbers are texts. Keys and labels are JSON already; of other texts the
 * script's reader of JSON refuses halves of surrogate pairs.
 */
export function encodeFamily(family: BatchFamily): object {
  const { unit = '', help = '', points } = family;
  return {
    key: familyKey(family),
    shape: shapeOf(family),
    unit: toWellFormed(unit),
    help: toWellFormed(help),
    points: points.map((one) => encode(family, one)),
  };
}

function encode(family: BatchFamily, point: Point): object {
  const { type, additive, bounds = [], scale = 1 } = family;
  const { value = 0, counts = [], exemplars = [] } = point;
  const isGauge = type === 'gauge' && !additive;
  const sum = type === 'histogram' ? point.sum : value;
  const sums = isGauge || sum === undefined ? [] : [[`s${scale}`, String(sum)]];
  const buckets = counts.flatMap((count, index) => (count === 0 ? [] : [[`b${index}`, String(count)]]));
  return {
    labels: seriesKey(point),
    time: String(point.timeUnixNano),
    adds: [...sums, ...buckets],
    ...(isGauge && { value: String(value) }),
    ...(sum === undefined && { isUnknown: true }),
    exemplars: exemplars.map(({ value, traceId, spanId, timeUnixNano }) => {
      const above = bounds.findIndex((bound) => value <= bound);
      const time = String(timeUnixNano).padStart(20, '0');
      return [above < 0 ? bounds.length : above, encodeExemplar([time, traceId, spanId, value])];
    }),
  };
}

type ExemplarFields = [time: string, traceId: string, spanId: string, value: number];

/** The greatest text stays: the time comes first, and without the bracket 5 is less than 50. */
function encodeExemplar(fields: ExemplarFields): string {
  return JSON.stringify(fields).slice(0, -1);
}

/** A family from its key and shape. */
export function decodeFamily(key: string, shape: string, unit = '', help = ''): StoredFamily {
  const [name, scopeName, version, schemaUrl] = JSON.parse(key) as [string, ...(string | null)[]];
  const [type, additive, bounds] = JSON.parse(shape) as [StoredFamily['type'], boolean, number[] | null];
  const scope = { name: scopeName ?? '', ...(version && { version }), ...(schemaUrl && { schemaUrl }) };
  return {
    name,
    type,
    ...(additive && { additive }),
    ...(help && { help }),
    ...(unit && { unit }),
    ...(bounds && { bounds }),
    ...(typeof scopeName === 'string' && { scope }),
  };
}

/** What `collectScript` answered, less what has expired. */
export function decodeFields(json: string): FamilySeries[] {
  const list = asArray(parseJson(json)).map(String);
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < list.length; i += 2) fields.set(list[i]!, list[i + 1]!);
  const families = new Map<string, readonly [StoredFamily, Map<string, StoredSeries>]>();
  for (const [field, shape] of fields) {
    if (!field.startsWith('f')) continue;
    const key = field.slice(1);
    families.set(key, [decodeFamily(key, shape, fields.get(`u${key}`), fields.get(`h${key}`)), new Map()]);
  }
  const own = fieldsById(fields);
  for (const [field, id] of fields) {
    if (!field.startsWith('s') || fields.has(`x${field.slice(1)}`)) continue;
    const end = field.indexOf('\n');
    const [family, series] = families.get(field.slice(1, end)) ?? [];
    const rest = own.get(id);
    if (family && series && rest) series.set(field.slice(end + 1), decodeSeries(family, rest));
  }
  return [...families.values()];
}

function fieldsById(fields: ReadonlyMap<string, string>): Map<string, Map<string, string>> {
  const byId = new Map<string, Map<string, string>>();
  for (const [field, value] of fields) {
    const [, id, rest] = /^(\d+)(.+)$/.exec(field) ?? [];
    if (id === undefined || rest === undefined) continue;
    const own = byId.get(id) ?? new Map<string, string>();
    byId.set(id, own.set(rest, value));
  }
  return byId;
}

function decodeSeries({ type, bounds = [] }: StoredFamily, fields: ReadonlyMap<string, string>): StoredSeries {
  const value = fields.get('g');
  const sums: Record<string, string | number> = {};
  const exemplars: StoredExemplar[] = [];
  for (const [field, text] of fields) {
    if (field.startsWith('s')) sums[field.slice(1)] = toInteger(text);
    if (field.startsWith('e')) {
      const [time, traceId, spanId, value] = JSON.parse(`${text}]`) as ExemplarFields;
      exemplars.push([value, traceId, spanId, time]);
    }
  }
  const known: ScaledSums | undefined = fields.has('x') || value !== undefined ? undefined : sums;
  return {
    start: fields.get('o') ?? '0',
    time: fields.get('t') ?? '0',
    touched: Number.POSITIVE_INFINITY,
    ...(value !== undefined && { value }),
    ...(known && { sums: known }),
    ...(type === 'histogram' && {
      counts: Array.from({ length: bounds.length + 1 }, (_, index) => toInteger(fields.get(`b${index}`) ?? '0')),
    }),
    ...(exemplars.length > 0 && { exemplars }),
  };
}

function toInteger(text: string): string | number {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}
