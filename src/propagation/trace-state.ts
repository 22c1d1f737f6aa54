import type { TraceState } from '@opentelemetry/api';
import { trim } from './header-value.ts';

const maxMembers = 32;
/** 32 members of the longest key and value, and some room for blanks. A longer header is discarded. */
const maxHeaderLength = 32_768;
/** Of what is sent; the standard asks for 512 at least. */
const maxLength = 8192;
/** Members above this length go first when the list is too long. */
const longMember = 128;

const validKey = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
const validValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * A `tracestate` header by the rules of W3C Trace Context Level 2; `undefined` where one member is invalid or there
 * are more than 32. Empty members are allowed, of equal keys the first stays.
 * https://www.w3.org/TR/trace-context-2/#tracestate-header
 */
export function parseTraceState(header: string): TraceState | undefined {
  if (header.length > maxHeaderLength) return undefined;
  const members = new Map<string, string>();
  let count = 0;
  for (const part of header.split(',')) {
    const member = trim(part);
    if (member === '') continue;
    const at = member.indexOf('=');
    const key = member.slice(0, Math.max(at, 0));
    const value = member.slice(at + 1);
    if (++count > maxMembers || !validKey.test(key) || !validValue.test(value)) return undefined;
    if (!members.has(key)) members.set(key, value);
  }
  return createState(members);
}

/** Immutable: `set` and `unset` answer a new state. An invalid key or value changes nothing. */
function createState(members: ReadonlyMap<string, string>): TraceState {
  const state: TraceState = {
    get: (key) => members.get(key),
    set(key, value) {
      if (!validKey.test(key) || !validValue.test(value)) return state;
      const others = [...members].filter(([name]) => name !== key);
      return createState(new Map([[key, value], ...others].slice(0, maxMembers) as [string, string][]));
    },
    unset: (key) => createState(new Map([...members].filter(([name]) => name !== key))),
    serialize: () => shorten(Array.from(members, ([key, value]) => `${key}=${value}`)).join(','),
  };
  return state;
}

/** https://www.w3.org/TR/trace-context-2/#tracestate-limits */
function shorten(members: string[]): string[] {
  let length = members.reduce((sum, member) => sum + member.length + 1, -1);
  for (const limit of [longMember, 0]) {
    for (let i = members.length - 1; i >= 0 && length > maxLength; i--) {
      if (members[i]!.length > limit) length -= members.splice(i, 1)[0]!.length + 1;
    }
  }
  return members;
}
