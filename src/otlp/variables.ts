import type { Signal } from '../delivery.ts';
import type { Environment } from '../environment.ts';

/** The variable of a signal, where it is set, else the general one. */
export function readSignal<T>(
  signal: Signal,
  name: string,
  environment: Environment,
  read: (name: string) => T | undefined,
): T | undefined {
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`;
  return environment.string(own) === undefined ? read(`OTEL_EXPORTER_OTLP_${name}`) : read(own);
}

/**
 * Parses `key=value,key=value` with percent-encoding, as W3C baggage without properties. An entry that is not well
 * formed counts as invalid, and the rest is still given.
 * Rule: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
 */
export function parseKeyValueList(text: string): { entries: [key: string, value: string][]; invalid: number } {
  const entries: [string, string][] = [];
  let invalid = 0;
  for (const item of text.split(',')) {
    if (item.trim() === '') continue;
    const at = item.indexOf('=');
    const key = decode(item.slice(0, Math.max(0, at)));
    const value = decode(item.slice(at + 1));
    if (key && value !== undefined) entries.push([key, value]);
    else invalid++;
  }
  return { entries, invalid };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    return undefined;
  }
}
