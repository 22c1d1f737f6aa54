import { TelemetryError } from './errors.ts';

/** Told of variables that are ignored because they make no sense. */
export type Warn = (error: TelemetryError) => void;

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
}

export function createEnvironment(env: Record<string, unknown>, warn: Warn): Environment {
  function string(name: string): string | undefined {
    const value = env[name];
    // A Worker's variables may be numbers and booleans; its bindings are objects.
    const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : '';
    return text.trim() || undefined;
  }
  function ignore(name: string, allowed: string): undefined {
    warn(new TelemetryError('invalid_environment', `${name} is ignored: it must be ${allowed}`, { option: name }));
  }
  return {
    string,
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
