import { suggestName } from '../../src/checks.ts';
import { messageOf } from '../../src/errors.ts';
import { parsePrices } from '../../src/pricing/check.ts';
import { priceUsage, selectTier } from '../../src/pricing/cost.ts';
import { defaultPrices } from '../../src/pricing/default.ts';
import { findPrice } from '../../src/pricing/find.ts';
import { partsOf } from '../../src/pricing/lazy-table.ts';
import type { Price, PriceTable } from '../../src/pricing/price.ts';
import { fileVariable, jsonVariable } from '../../src/pricing/sources.ts';
import type { LlmUsage } from '../../src/usage.ts';
import { type Command, CommandError, UsageError } from './command.ts';
import { readText } from './config-file.ts';
import type { Terminal } from './terminal.ts';

interface NamedTable {
  readonly name: string;
  readonly table: PriceTable;
}

export const prices: Command = {
  name: 'prices',
  summary: 'says what a call costs, and by which table',
  usage: '<model> <input tokens> <output tokens> [--provider NAME]',
  flags: {
    provider: { value: 'NAME', help: 'openai, anthropic, azure, bedrock, …, where prices differ by it' },
    'cache-read': { value: 'N', help: 'of the input: tokens read from a cache' },
    'cache-write': { value: 'N', help: 'of the input: tokens written into one' },
    reasoning: { value: 'N', help: 'of the output: tokens of reasoning' },
    'prices-file': { value: 'FILE', help: `prices by model as JSON, asked first` },
  },
  notes: [`Then ${fileVariable} and ${jsonVariable} are asked, then the built-in tables.`],
  async run({ values, positionals }, terminal) {
    const [model, input, output, ...rest] = positionals;
    if (model === undefined || output === undefined || rest.length > 0) {
      throw new UsageError('which call? edgespan prices gpt-4o 1000 500');
    }
    const usage = readUsage({ input, output, ...values });
    const provider = values.provider as string | undefined;
    const tables = readTables(values['prices-file'] as string | undefined, terminal);
    const price = findPrice(
      model,
      provider,
      tables.map(({ table }) => table),
    );
    if (!price) throw unpriced(model, provider, tables);
    const { table, key } = findOrigin(price, tables);
    const cost = priceUsage(usage, price)!;
    const { tiers: _tiers, ...rates } = selectTier(price, usage.input ?? 0);
    if (values.json) terminal.json({ model, ...(provider && { provider }), usage, ...cost, table, key, rates });
    else printCost(terminal, { model, total: cost, rates, table, key });
    return 0;
  },
};

const usageFlags = {
  input: 'input',
  output: 'output',
  cacheRead: 'cache-read',
  cacheWrite: 'cache-write',
  reasoning: 'reasoning',
};

function readUsage(given: Readonly<Record<string, unknown>>): LlmUsage {
  const entries = Object.entries(usageFlags).flatMap(([name, flag]) => {
    const text = given[flag];
    if (text === undefined) return [];
    const count = Number(text);
    if (String(text).trim() === '' || !Number.isSafeInteger(count) || count < 0) {
      throw new UsageError(`${flag} is ${JSON.stringify(text)}: it must be a number of tokens`);
    }
    return [[name, count]];
  });
  return Object.fromEntries(entries) as LlmUsage;
}

function readTables(file: string | undefined, { env }: Terminal): NamedTable[] {
  const { [fileVariable]: envFile, [jsonVariable]: json } = env;
  return [
    ...(file ? [{ name: file, table: parse(file, readText(file, 'the table of prices')) }] : []),
    ...(envFile
      ? [{ name: envFile, table: parse(fileVariable, readText(envFile, `the file of ${fileVariable},`)) }]
      : []),
    ...(json ? [{ name: jsonVariable, table: parse(jsonVariable, json) }] : []),
    { name: 'built-in', table: defaultPrices },
  ];
}

function parse(name: string, text: string): PriceTable {
  try {
    return parsePrices(text);
  } catch (error) {
    throw new CommandError(`${name} is no table of prices: ${messageOf(error)}`);
  }
}

/** The table and the key in it: prices are told apart by being the same object. */
function findOrigin(price: Price, tables: readonly NamedTable[]): { table: string; key: string } {
  for (const { name, table } of tables) {
    const parts = partsOf(table)?.map(({ owner, read }) => ({ name: `${name} prices of ${owner}`, rows: read() }));
    for (const { name: table_, rows } of parts ?? [{ name, rows: table }]) {
      const [key] = Object.entries(rows).find(([, row]) => row === price) ?? [];
      if (key !== undefined) return { table: table_, key };
    }
  }
  throw new Error('a price without a table');
}

function unpriced(model: string, provider: string | undefined, tables: readonly NamedTable[]): CommandError {
  const known = tables.flatMap(({ table }) => Object.keys(table));
  const near = suggestName(model, known);
  const alike = known.filter((key) => key.includes(model)).slice(0, 5);
  const hint = near.startsWith('did')
    ? near
    : alike.length > 0
      ? `known are ${alike.join(', ')}`
      : 'give its price by --prices-file';
  return new CommandError(`no table has a price of ${model}${provider ? ` at ${provider}` : ''}: ${hint}`);
}

interface Printed {
  readonly model: string;
  readonly total: { inputUsd: number; outputUsd: number; totalUsd: number };
  readonly rates: Price;
  readonly table: string;
  readonly key: string;
}

function printCost({ out, style }: Terminal, { model, total, rates, table, key }: Printed): void {
  const usd = (amount: number) => `$${Number(amount.toPrecision(10))}`;
  out(
    `${style('bold', model)} costs ${style('green', usd(total.totalUsd))}: ${usd(total.inputUsd)} in, ${usd(total.outputUsd)} out`,
  );
  out(
    `by ${table}, ${key}: ${usd(rates.input)} in, ${rates.output === undefined ? 'nothing' : usd(rates.output)} out per million tokens`,
  );
}
