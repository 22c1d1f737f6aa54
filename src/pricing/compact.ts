import type { Price, PriceTable, Rates } from './price.ts';

/** What the letter before a number says; the first number of all is the price of input, `>` begins a tier. */
export const letters: Readonly<Record<string, keyof Price>> = {
  '': 'input',
  ':': 'input',
  ',': 'output',
  r: 'cacheRead',
  w: 'cacheWrite',
  W: 'cacheWrite1h',
  t: 'reasoning',
  a: 'audioInput',
  A: 'audioOutput',
  R: 'audioCacheRead',
  q: 'perRequest',
  s: 'perWebSearch',
};

type Tier = Rates & { above: number };

/**
 * Reads a price: `2.5,15r.25>272000:5,22.5r.5*priority2` is 2.5 for input, 15 for output, 0.25 for cached input, above
 * 272,000 tokens 5, 22.5 and 0.5, and twice of that by the tier `priority`. `factors` are those that hold where the price
 * itself says none.
 */
export function decodePrice(text: string, factors = ''): Price {
  const [rest = '', own = ''] = text.split('*');
  const price: Price = { input: 0 };
  const tiers: Tier[] = [];
  let rates: Partial<Record<keyof Price, unknown>> = price;
  for (const [, letter = '', digits] of rest.matchAll(/([^\d.]?)([\d.]+)/g)) {
    const number = Number(digits);
    if (letter === '>') {
      const tier: Tier = { above: number, input: price.input };
      tiers.push(tier);
      rates = tier;
    } else rates[letters[letter]!] = number;
  }
  if (tiers.length > 0) price.tiers = tiers;
  if (factors || own) price.serviceTiers = decodeFactors(factors + own);
  return Object.freeze(price);
}

/** `flex.5priority2`; of a name that is there twice the last one holds. */
function decodeFactors(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries([...text.matchAll(/(\D+?)([\d.]+)/g)].map(([, tier, factor]) => [tier, Number(factor)]));
}

/** Reads a table: a line is a price and the ids that have it; `factors` hold for all of them. */
export function decodePrices(text: string, prefix: string, factors?: string): PriceTable {
  const table: Record<string, Price> = {};
  for (const line of text.trim().split('\n')) {
    const [price, ...ids] = line.split(' ');
    const decoded = decodePrice(price!, factors);
    for (const id of ids) table[prefix + id] = decoded;
  }
  return table;
}
