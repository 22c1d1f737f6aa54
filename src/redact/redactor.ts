import { parseJson } from '../json.ts';
import { redactEncoded, redactPairs } from './encoded.ts';

/** A kind of secret, and what is left of a text without it. Those of `edgespan/redact` take linear time. */
export interface RedactPattern {
  readonly name: string;
  redact(text: string): string;
}

/** Where a text stands: the attribute or label, or `name`, `status` and the like. */
export interface RedactPlace {
  signal: 'span' | 'metric';
  key: string;
}

/**
 * A pattern, an expression whose matches go, a key whose values go (names as they are, in any case; nested ones too), or
 * a function that answers what is left of a text.
 */
export type RedactRule =
  | RedactPattern
  | RegExp
  | { key: string | RegExp }
  | ((text: string, at: RedactPlace) => string);

/** Stands for what is gone. */
export const redacted = '[REDACTED]';

/** Deeper values are gone whole. */
const maxDepth = 64;
/** Metric labels repeat: so many of them are remembered. */
const maxRemembered = 2000;

export interface Redactor {
  text(text: string, at: RedactPlace): string;
  /** An attribute value: all strings in it, keys of its maps too. */
  value(value: unknown, at: RedactPlace): unknown;
}

export interface RedactorPorts {
  /** A rule has failed: its text is gone whole. */
  readonly failed: (error: unknown) => void;
  readonly changed: (signal: RedactPlace['signal']) => void;
}

type TextRule = (text: string, at: RedactPlace) => string;

/** Applies all rules, in their order. A rule that throws or answers no text closes: nothing of the text goes on. */
export function createRedactor(rules: readonly RedactRule[], { failed, changed }: RedactorPorts): Redactor {
  const keys = rules.filter(isKeyRule).map(({ key }) => matchKey(key));
  const texts = rules.flatMap((rule) => (isKeyRule(rule) ? [] : [readRule(rule)]));
  const remembered = new Map<string, string>();

  function isSecret(key: string): boolean {
    return keys.some((matches) => matches(key));
  }

  function applyRules(text: string, at: RedactPlace): string {
    let left = text;
    for (const rule of texts) {
      left = rule(left, at);
      if (typeof left !== 'string') throw new TypeError('a redact rule must answer a string');
    }
    return left;
  }

  function apply(text: string, at: RedactPlace): string {
    try {
      const known = keys.length > 0 ? redactPairs(redactJson(text, isSecret), isSecret, redacted) : text;
      return redactEncoded(applyRules(known, at), (plain) => applyRules(plain, at));
    } catch (error) {
      failed(error);
      return redacted;
    }
  }

  function text(given: string, at: RedactPlace): string {
    if (given === '') return given;
    const left = isSecret(at.key) ? redacted : apply(given, at);
    if (left !== given) changed(at.signal);
    return left;
  }

  function label(given: string, at: RedactPlace): string {
    const place = `${at.key}\n${given}`;
    const known = remembered.get(place);
    if (known !== undefined) return known;
    const left = text(given, at);
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(place, left);
    return left;
  }

  function value(given: unknown, at: RedactPlace, depth = 0): unknown {
    if (typeof given === 'string') return text(given, at);
    if (isSecret(at.key) && given !== null) return redacted;
    if (typeof given !== 'object' || given === null) return given;
    // Bytes may be a text that no rule can read.
    if (depth >= maxDepth || given instanceof Uint8Array) return redacted;
    if (Array.isArray(given)) return given.map((item) => value(item, at, depth + 1));
    const entries = Object.entries(given).map(([key, item]) => [
      text(key, { ...at, key: '' }),
      value(item, { ...at, key }, depth + 1),
    ]);
    return Object.fromEntries(entries);
  }

  return { text: (given, at) => (at.signal === 'metric' ? label(given, at) : text(given, at)), value };
}

function isKeyRule(rule: RedactRule): rule is { key: string | RegExp } {
  return typeof rule === 'object' && 'key' in rule;
}

/** A name in any case, or as the last part of a dotted one. */
function matchKey(key: string | RegExp): (name: string) => boolean {
  if (key instanceof RegExp) {
    const fresh = new RegExp(key.source, key.flags.replace(/[gy]/g, ''));
    return (name) => fresh.test(name);
  }
  const wanted = key.toLowerCase();
  return (name) => {
    const given = name.toLowerCase();
    return given === wanted || given.endsWith(`.${wanted}`);
  };
}

function readRule(rule: Exclude<RedactRule, { key: unknown }>): TextRule {
  if (rule instanceof RegExp) {
    const all = new RegExp(rule.source, rule.flags.includes('g') ? rule.flags : `${rule.flags}g`);
    return (text) => text.replace(all, redacted);
  }
  return typeof rule === 'function' ? rule : (text) => rule.redact(text);
}

/** JSON in JSON, as models give the arguments of tools, so deep. */
const maxNested = 4;

/** A text that is a JSON object or array, the values of secret keys gone; any other text as it is. */
function redactJson(text: string, isSecret: (key: string) => boolean, depth = 0): string {
  if (!/^\s*[{[]/.test(text) || depth >= maxNested) return text;
  const json = parseJson(text);
  if (typeof json !== 'object' || json === null) return text;
  let found = false;
  const copy = JSON.stringify(json, (key, value: unknown) => {
    const isGone = key !== '' && isSecret(key) && value !== null;
    const left = isGone ? redacted : typeof value === 'string' ? redactJson(value, isSecret, depth + 1) : value;
    found ||= isGone || left !== value;
    return left;
  });
  return found ? copy : text;
}
