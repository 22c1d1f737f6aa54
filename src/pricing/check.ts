import { asObject, parseJson } from '../json.ts';
import { partsOf } from './lazy-table.ts';
import type { Price, PriceTable, Rates } from './price.ts';

const rates: readonly (keyof Rates)[] = [
  'input',
  'output',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'reasoning',
  'audioInput',
  'audioOutput',
  'audioCacheRead',
];
const fields: readonly (keyof Price)[] = [
  ...rates,
  'perRequest',
  'perWebSearch',
  'maxOutputTokens',
  'tiers',
  'serviceTiers',
];

/** What is wrong with a table, and where. */
export interface PriceFault {
  /** From the table on: `['acme-1', 'output']`. */
  readonly path: readonly string[];
  readonly value: unknown;
  readonly allowed: string;
}

/** What a fault says: `prices.acme-1.output is -1: it must be a number from 0`. */
export function describeFault({ path, value, allowed }: PriceFault, name: string): string {
  const shown = typeof value === 'number' || value === undefined ? String(value) : `of type ${typeof value}`;
  return `${[name, ...path].join('.')} is ${shown}: it must be ${allowed}`;
}

/** A table from JSON; throws for what is none, and never quotes the text. */
export function parsePrices(text: string): PriceTable {
  const value = parseJson(text);
  if (value === undefined) throw new Error('it is no JSON');
  const fault = findFault(value);
  if (fault) throw new Error(describeFault(fault, 'prices'));
  return value as PriceTable;
}

/** The first thing that makes a value no table of prices. Built-in tables are not decoded for it. */
export function findFault(value: unknown): PriceFault | undefined {
  const table = asObject(value);
  if (!table) return { path: [], value, allowed: 'a table of prices by model' };
  return partsOf(table as PriceTable) ? undefined : findInside(table, (price) => findRatesFault(price, fields));
}

/** The first fault among the members of an object or a list, with the member's name before its path. */
function findInside(
  value: object,
  find: (member: unknown, name: string) => PriceFault | undefined,
): PriceFault | undefined {
  for (const [name, member] of Object.entries(value)) {
    const fault = find(member, name);
    if (fault) return { ...fault, path: [name, ...fault.path] };
  }
  return undefined;
}

function findRatesFault(value: unknown, known: readonly string[]): PriceFault | undefined {
  const price = asObject(value);
  if (!price) return { path: [], value, allowed: 'a price like { input: 2.5, output: 10 }, in USD per million tokens' };
  return findInside({ input: undefined, ...price }, (rate, name) => {
    if (!known.includes(name)) return { path: [], value: rate, allowed: `absent, or one of ${known.join(', ')}` };
    if (rate === undefined && name !== 'input') return undefined;
    if (name === 'tiers') return findTiersFault(rate);
    return name === 'serviceTiers' ? findFactorsFault(rate) : findAmountFault(rate);
  });
}

function findTiersFault(value: unknown): PriceFault | undefined {
  if (!Array.isArray(value)) return { path: [], value, allowed: 'a list of rates, each with above' };
  return findInside(
    value,
    (tier) =>
      findRatesFault(tier, [...rates, 'above']) ?? findInside({ above: asObject(tier)?.above }, findAmountFault),
  );
}

function findFactorsFault(value: unknown): PriceFault | undefined {
  const factors = asObject(value);
  return factors ? findInside(factors, findAmountFault) : { path: [], value, allowed: 'factors like { flex: 0.5 }' };
}

function findAmountFault(value: unknown): PriceFault | undefined {
  const isAmount = typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
  return isAmount ? undefined : { path: [], value, allowed: 'a number from 0' };
}
