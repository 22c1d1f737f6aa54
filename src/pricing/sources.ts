import type { Environment } from '../environment.ts';
import { messageOf, TelemetryError } from '../errors.ts';
import { describeFault, findFault, parsePrices } from './check.ts';
import type { PriceSource, PriceTable } from './price.ts';

export const fileVariable = 'EDGESPAN_PRICES_FILE';
export const jsonVariable = 'EDGESPAN_PRICES';

/** Throws for what is given in code and is no source of prices, naming the key that is wrong. */
export function checkPrices(given: PriceSource | readonly PriceSource[] = []): readonly PriceSource[] {
  const isList = Array.isArray(given);
  const sources = (isList ? given : [given]) as readonly PriceSource[];
  for (const [index, source] of sources.entries()) {
    const fault = source instanceof URL ? undefined : findFault(source);
    if (!fault) continue;
    const name = isList ? `prices[${index}]` : 'prices';
    const option = [name, ...fault.path].join('.');
    throw new TelemetryError('invalid_option', describeFault(fault, name), { option });
  }
  return sources;
}

/** The tables that the environment names, the file's first. What is wrong with one is reported, and it is ignored. */
export function readPrices(
  { string, warn }: Environment,
  readFile: ((path: string) => string) | undefined,
): PriceTable[] {
  const tables: PriceTable[] = [];
  function add(name: string, read: () => string): void {
    try {
      tables.push(parsePrices(read()));
    } catch (error) {
      const message = `${name} is ignored: ${messageOf(error)}`;
      warn(new TelemetryError('invalid_environment', message, { option: name }));
    }
  }

  const path = string(fileVariable);
  if (path !== undefined) add(fileVariable, () => (readFile ?? cannotRead)(path));
  const json = string(jsonVariable);
  if (json !== undefined) add(jsonVariable, () => json);
  return tables;
}

function cannotRead(): never {
  throw new Error(`this runtime has no files; give the prices themselves in ${jsonVariable} or by a URL in prices`);
}
