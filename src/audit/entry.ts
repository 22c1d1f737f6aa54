import { cut } from '../attributes.ts';
import { TelemetryError } from '../errors.ts';
import { asObject } from '../json.ts';
import type { AuditEntry } from './record.ts';

const maxText = 65_536;
const maxMetadata = 64;

const texts = ['user', 'provider', 'model', 'input', 'output', 'traceId'] as const;
const numbers = ['costUsd', 'latencyMs'] as const;

/** A copy of an entry with what belongs into it. Throws a `TelemetryError` (`invalid_value`) that names the field. */
export function checkEntry(given: AuditEntry): AuditEntry {
  const entry: Record<string, unknown> = {};
  if (typeof given?.model !== 'string' || given.model === '') throw wrong('model', 'a text that is not empty');
  for (const name of texts) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw wrong(name, 'a text');
    entry[name] = cut(value, maxText);
  }
  for (const name of numbers) {
    const value = given[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw wrong(name, 'a number from 0');
    entry[name] = value;
  }
  if (given.metadata !== undefined) entry.metadata = checkMetadata(given.metadata);
  return entry as unknown as AuditEntry;
}

function checkMetadata(given: unknown): Record<string, string | number | boolean> {
  const entries = Object.entries(asObject(given) ?? { '': null });
  if (entries.length > maxMetadata) throw wrong('metadata', `at most ${maxMetadata} values`);
  return Object.fromEntries(
    entries.map(([key, value]) => {
      if (typeof value === 'string') return [key, cut(value, maxText)];
      const fits = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
      if (!fits || key === '__proto__') throw wrong(`metadata.${cut(key, 128)}`, 'a text, a number or a boolean');
      return [key, value as number | boolean];
    }),
  );
}

function wrong(field: string, allowed: string): TelemetryError {
  return new TelemetryError('invalid_value', `${field} of an audit entry must be ${allowed}`);
}
