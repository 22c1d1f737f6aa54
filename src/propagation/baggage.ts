import type { BaggageEntry, TextMapPropagator } from '@opentelemetry/api';
import { strings, trim } from './header-value.ts';
import { createBaggage, createMetadata, getBaggage, setBaggage } from './otel-baggage.ts';

const field = 'baggage';

/** What the standard asks to carry at least, https://www.w3.org/TR/baggage/#limits; members beyond it are left out. */
const maxMembers = 64;
const maxLength = 8192;
/** How far a header is read in search of members that fit. */
const maxHeaderLength = 65_536;

const validKey = /^[\w!#$%&'*+\-.^`|~]+$/;
const validValue = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
const validMetadata = /^[\t\x20-\x2b\x2d-\x7e]*$/;

/**
 * W3C Baggage. A malformed member is left out, the others stay.
 * https://www.w3.org/TR/baggage/
 */
export const baggage: TextMapPropagator = {
  inject(context, carrier, setter) {
    const entries = getBaggage(context)?.getAllEntries() ?? [];
    const members = limit(entries.map(([key, entry]) => encodeMember(key, entry)));
    if (members.length > 0) setter.set(carrier, field, members.join(','));
  },
  extract(context, carrier, getter) {
    const header = strings(getter.get(carrier, field))
      .join(',')
      .slice(0, maxHeaderLength + 1);
    // The cut may have gone through the last member.
    const members = header.length > maxHeaderLength ? header.split(',').slice(0, -1) : header.split(',');
    const entries = limit(members.map(trim)).flatMap((member) => parseMember(member) ?? []);
    return entries.length > 0 ? setBaggage(context, createBaggage(entries)) : context;
  },
  fields: () => [field],
};

/** Whole members as long as there is room; a member that does not fit makes room for those after it. */
function limit(members: readonly string[]): string[] {
  const kept: string[] = [];
  let length = -1;
  for (const member of members) {
    if (member === '' || kept.length === maxMembers || length + member.length + 1 > maxLength) continue;
    length += member.length + 1;
    kept.push(member);
  }
  return kept;
}

function parseMember(member: string): [[string, BaggageEntry]] | undefined {
  const [pair = '', ...properties] = member.split(';');
  const at = pair.indexOf('=');
  const key = trim(pair.slice(0, Math.max(at, 0)));
  const value = trim(pair.slice(at + 1));
  if (!validKey.test(key) || !validValue.test(value)) return undefined;
  const metadata = trim(properties.join(';'));
  const entry = { value: decode(value) };
  return [[key, metadata ? { ...entry, metadata: createMetadata(metadata) } : entry]];
}

/** Empty for what the format cannot carry. */
function encodeMember(key: string, { value, metadata }: BaggageEntry): string {
  if (!validKey.test(key) || typeof value !== 'string' || value.length > maxLength) return '';
  try {
    const properties = metadata?.toString() ?? '';
    const member = `${key}=${encodeURIComponent(value)}`;
    return properties && validMetadata.test(properties) ? `${member};${properties}` : member;
  } catch {
    return ''; // half of a surrogate pair
  }
}

/** Bytes that are no UTF-8 become U+FFFD: https://www.w3.org/TR/baggage/#value */
function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    const bytes: number[] = [];
    for (const [, hex, char = ''] of value.matchAll(/%([\da-f]{2})|(.)/gi)) {
      bytes.push(hex ? Number.parseInt(hex, 16) : char.charCodeAt(0));
    }
    return new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(new Uint8Array(bytes));
  }
}
