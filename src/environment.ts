import { TelemetryError } from './errors.ts';

export type Env = Record<string, unknown>;

/** Told what is wrong with the environment; the value itself is not repeated, since it may be a secret. */
export type Warn = (error: TelemetryError) => void;

/** A variable as trimmed text. Empty is unset, and so is what is no text: a Worker's `env` also holds bindings. */
function readEnv(env: Env, name: string): string | undefined {
  const value = env[name];
  const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : '';
  return text.trim() || undefined;
}

/**
 * Reads `OTEL_*` variables by OpenTelemetry's rules: empty is unset, names of choices ignore case, a number that is
 * none is reported and its default holds.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export interface Environment {
  string(name: string): string | undefined;
  /** True only for `true`, whatever its case; anything but `true` and `false` is reported. */
  boolean(name: string): boolean;
  /** The first of the names that is set, as a whole number of at least `min`. */
  integer(names: readonly string[], min: number, max?: number): number | undefined;
  /** A number from 0 to 1. */
  ratio(name: string): number | undefined;
  /** One of some words, whatever its case. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined;
  milliseconds(name: string): number | undefined;
  /** Says that a variable is not what it must be. */
  ignore(name: string, allowed: string): undefined;
  /** Says what is wrong, each problem once. */
  warn: Warn;
}

export function createEnvironment(env: Env, report: Warn): Environment {
  const told = new Set<string>();
  const warn: Warn = (error) => {
    if (!told.has(error.message)) report(error);
    told.add(error.message);
  };
  const string = (name: string) => readEnv(env, name);
  const ignore = (name: string, allowed: string): undefined => {
    warn(new TelemetryError('invalid_environment', `${name} is ignored: it must be ${allowed}`, { option: name }));
  };
  return {
    string,
    ignore,
    warn,
    choice(name, choices) {
      const text = string(name)?.toLowerCase();
      if (text === undefined) return undefined;
      return choices.find((choice) => choice === text) ?? ignore(name, choices.join(', '));
    },
    milliseconds(name) {
      const text = string(name);
      if (text === undefined) return undefined;
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return Number.isSafeInteger(value) ? value : ignore(name, 'a number of milliseconds');
    },
    boolean(name) {
      const value = string(name)?.toLowerCase();
      if (value !== undefined && value !== 'true' && value !== 'false') ignore(name, 'true or false');
      return value === 'true';
    },
    integer(names, min, max = Number.MAX_SAFE_INTEGER) {
      const name = names.find((candidate) => string(candidate) !== undefined);
      if (name === undefined) return undefined;
      const value = Number(string(name));
      const valid = Number.isInteger(value) && value >= min && value <= max;
      return valid ? value : ignore(name, `an integer from ${min}`);
    },
    ratio(name) {
      const text = string(name);
      if (text === undefined) return undefined;
      const value = Number(text);
      return value >= 0 && value <= 1 ? value : ignore(name, 'a number from 0 to 1');
    },
  };
}
