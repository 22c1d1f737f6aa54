import type { Point } from './snapshot.ts';
import { type BatchFamily, type MetricBatch, StoreRefusal } from './store.ts';

/** Points of a batch; a sender makes several of more. */
export const maxBatchPoints = 2_000;
const maxBatchIdLength = 64;
export const maxFamilyNameLength = 255;
/** Characters of a family's help, unit, and each part of its scope. */
export const maxFamilyTextLength = 1_024;
/** Bounds of a histogram. */
export const maxStoredBounds = 128;
/** UTF-8 bytes that the labels of a series have as JSON, so that a series always fits into a block. */
export const maxLabelBytes = 8_192;
/** The ids of an exemplar. */
const hexId = /^[0-9a-f]{1,32}$/i;

const maxUnixNano = 2n ** 63n - 1n;
const scales = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** Throws a `StoreRefusal` that names the families which no store could take: what is no integer, too long or no series. */
export function checkBatch(batch: MetricBatch): void {
  const { batchId, families } = batch ?? {};
  if (!isText(batchId, maxBatchIdLength) || batchId === '') {
    throw new StoreRefusal([], `a batch needs an id of 1 to ${maxBatchIdLength} characters`);
  }
  if (!Array.isArray(families)) throw new StoreRefusal([], 'a batch needs a list of families');
  const shapeless = (families as readonly (Partial<BatchFamily> | null)[]).findIndex((family) => !isFamily(family));
  if (shapeless >= 0) throw new StoreRefusal([show(families[shapeless]?.name)], 'a family needs a list of points');
  const count = batch.families.reduce((sum, { points }) => sum + points.length, 0);
  if (count > maxBatchPoints) throw new StoreRefusal([], `a batch of ${count} points: at most ${maxBatchPoints}`);
  refuse(batch.families.flatMap((family) => wrongOf(family, faultOf(family))));
}

/** A family that is refused, and why. */
export interface WrongFamily {
  readonly name: string;
  readonly fault: string;
}

export function wrongOf({ name }: Pick<BatchFamily, 'name'>, fault: string | undefined): WrongFamily[] {
  return fault === undefined ? [] : [{ name, fault }];
}

/** Families that an error's message names; it has all in `families`. */
const maxNamed = 5;

/** Throws where there is something to refuse. */
export function refuse(wrong: readonly WrongFamily[]): void {
  if (wrong.length === 0) return;
  const named = wrong.slice(0, maxNamed).map(({ name, fault }) => `${show(name)}: ${fault}`);
  const others = wrong.length - named.length;
  const names = new Set(wrong.map(({ name }) => name));
  throw new StoreRefusal([...names], named.join('; ') + (others > 0 ? ` and ${others} more` : ''));
}

function show(name: unknown): string {
  return String(name).slice(0, maxFamilyNameLength);
}

function faultOf({ name, help = '', unit = '', scope, type, bounds, scale = 1, additive, points }: BatchFamily) {
  if (!isText(name, maxFamilyNameLength) || name === '') return `no name of 1 to ${maxFamilyNameLength} characters`;
  const texts = [help, unit, scope?.name ?? '', scope?.version ?? '', scope?.schemaUrl ?? ''];
  if (!texts.every((text) => isText(text, maxFamilyTextLength))) {
    return `help, unit or scope of more than ${maxFamilyTextLength} characters`;
  }
  if (!['counter', 'gauge', 'histogram'].includes(type)) return 'no known type';
  if (!scales.includes(scale)) return 'a scale that is no power of ten from 1 to 1e9';
  if (type === 'histogram') {
    const fault = faultOfBounds(bounds);
    if (fault) return fault;
  }
  const check = type === 'histogram' ? faultOfHistogram : type === 'counter' ? faultOfCounter : faultOfGauge;
  for (const point of points) {
    const fault = faultOfPoint(point) ?? check(point, { bounds, additive });
    if (fault) return fault;
  }
  return undefined;
}

function faultOfBounds(bounds: BatchFamily['bounds']): string | undefined {
  if (!Array.isArray(bounds) || bounds.length > maxStoredBounds) return `not 0 to ${maxStoredBounds} bounds`;
  const goUp = bounds.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > bounds[i - 1]!));
  return goUp ? undefined : 'bounds that do not go up';
}

function isFamily(family: Partial<BatchFamily> | null): boolean {
  return Array.isArray(family?.points);
}

function faultOfPoint(point: Point): string | undefined {
  const { labels, startUnixNano, timeUnixNano, exemplars = [] } = point ?? {};
  if (typeof labels !== 'object' || labels === null) return 'a point without labels';
  if (!Array.isArray(exemplars)) return 'exemplars that are no list';
  if (!isTime(startUnixNano) || !isTime(timeUnixNano)) return 'no time in nanoseconds since 1970';
  const entries = Object.entries(labels);
  if (!entries.every((entry) => entry.every((text) => isText(text, maxLabelBytes)))) {
    return `a label that is no text of at most ${maxLabelBytes} bytes`;
  }
  if (utf8Length(JSON.stringify(entries)) > maxLabelBytes) return `labels of more than ${maxLabelBytes} bytes`;
  for (const { value, traceId, spanId, timeUnixNano } of exemplars as NonNullable<Point['exemplars']>) {
    const isWhole = Number.isFinite(value) && isTime(timeUnixNano);
    const areIds = [traceId, spanId].every((id) => typeof id === 'string' && hexId.test(id));
    if (!isWhole || !areIds) return 'an exemplar without value, time and ids';
  }
  return undefined;
}

function faultOfCounter({ value }: Point): string | undefined {
  return isCount(value) ? undefined : 'a value that is no whole number from 0 to 2^53';
}

function faultOfGauge({ value }: Point, { additive }: Partial<BatchFamily>): string | undefined {
  if (additive) return Number.isSafeInteger(value) ? undefined : 'a change that is no whole number below 2^53';
  return typeof value === 'number' && !Number.isNaN(value) ? undefined : 'a value that is no number';
}

function faultOfHistogram({ counts, count, sum = 0 }: Point, { bounds = [] }: Partial<BatchFamily>) {
  if (!Array.isArray(counts) || counts.length !== bounds.length + 1) return 'not one bucket more than bounds';
  if (!counts.every(isCount)) return 'a bucket that is no whole number from 0 to 2^53';
  if (counts.reduce((a, b) => a + b, 0) !== count || !isCount(count)) return 'a count that is not that of its buckets';
  return isCount(sum) ? undefined : 'a sum that is no whole number from 0 to 2^53';
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): boolean {
  return typeof value === 'bigint' && value >= 0n && value <= maxUnixNano;
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength;
}

export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
