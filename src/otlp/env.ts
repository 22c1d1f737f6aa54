import type { Signal } from '../delivery.ts';
import { TelemetryError } from '../errors.ts';

export type Env = Record<string, unknown>;

/** Told what is wrong with the environment; the value itself is not repeated, since it may be a secret. */
export type Warn = (error: TelemetryError) => void;

/** A variable as trimmed text. Empty is unset, and so is what is no text: a Worker's `env` also holds bindings. */
export function readEnv(env: Env, name: string): string | undefined {
  const value = env[name];
  const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : '';
  return text.trim() || undefined;
}

export function warnEnv(warn: Warn, name: string, allowed: string): undefined {
  warn(new TelemetryError('invalid_environment', `${name} is ignored: it must be ${allowed}`, { option: name }));
}

/** A variable that is one of some words, whatever their case. */
export function readChoice<T extends string>(env: Env, name: string, choices: readonly T[], warn: Warn): T | undefined {
  const text = readEnv(env, name)?.toLowerCase();
  if (text === undefined) return undefined;
  return choices.find((choice) => choice === text) ?? warnEnv(warn, name, choices.join(', '));
}

/** A variable that is a duration in milliseconds. */
export function readMilliseconds(env: Env, name: string, warn: Warn): number | undefined {
  const text = readEnv(env, name);
  if (text === undefined) return undefined;
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text))
    ? Number(text)
    : warnEnv(warn, name, 'a number of milliseconds');
}

/** The variable of a signal, where it is set, else the general one. */
export function readSignal<T>(
  signal: Signal,
  name: string,
  env: Env,
  read: (name: string) => T | undefined,
): T | undefined {
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`;
  return readEnv(env, own) === undefined ? read(`OTEL_EXPORTER_OTLP_${name}`) : read(own);
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
