import { type RedactPattern, redacted } from './redactor.ts';

export type { RedactPattern } from './redactor.ts';

/** Each part of an expression has a bound, so that no text makes it slow. */
function replaceAll(name: string, ...expressions: readonly RegExp[]): RedactPattern {
  return { name, redact: (text) => expressions.reduce((left, expression) => left.replace(expression, redacted), text) };
}

function replaceIf(name: string, expression: RegExp, isSecret: (match: string) => boolean): RedactPattern {
  return { name, redact: (text) => text.replace(expression, (match) => (isSecret(match) ? redacted : match)) };
}

/** The check digit of ISO/IEC 7812. */
function isCard(match: string): boolean {
  const digits = match.replace(/\D/g, '');
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    sum += i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return digits.length >= 13 && digits.length <= 19 && sum % 10 === 0;
}

/** Numbers that the United States never give: https://www.ssa.gov/employer/randomization.html */
function isSsn(match: string): boolean {
  const [area, group, serial] = match.split(/[- ]/);
  return area !== '000' && area !== '666' && !area!.startsWith('9') && group !== '00' && serial !== '0000';
}

function isPhone(match: string): boolean {
  const digits = match.replace(/\D/g, '').length;
  return digits >= 7 && digits <= 15;
}

/** What stands before a secret in headers, addresses, JSON and the environment, there behind somebody's name. */
const names = [
  'api[_-]?key',
  'access[_-]?key',
  'private[_-]?key',
  'client[_-]?secret',
  'secret',
  'sig',
  'signature',
  '(?:access|auth|refresh|session|id|security|bearer)[_-]?token',
  'password',
  'passwd',
  'passphrase',
].join('|');
/** Between a name and its value: in JSON that is in a JSON text, quotes are escaped. */
const quote = `\\\\{0,3}["']?`;
/** A backslash belongs to a value, unless it is that of the quote behind it. */
const secret = `(?:[^\\s"'\\\\&,;}]|\\\\(?!\\\\{0,3}["'])){4,512}`;

/**
 * Patterns for the option `redact`. They run over every string of every signal and take linear time.
 *
 * @example
 * import { patterns } from 'edgespan/redact';
 * createTelemetry({ redact: [patterns.email, patterns.apiKey, { key: 'password' }, /order-\d{8}/] });
 */
export const patterns = /* @__PURE__ */ Object.freeze({
  /** `jane.doe+news@mail.example.com` */
  email: replaceAll('email', /[\p{L}\p{N}._%+'-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu),
  /** `+49 30 901820`, `(555) 123-4567`, `555-123-4567` */
  phone: replaceIf(
    'phone',
    /(?<![\p{L}\p{N}.-])(?:\+\d{1,3}(?:[ .()/-]{0,2}\d){6,14}|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[ .-]\d{3}[ .-]\d{4})(?![\p{L}\p{N}-])/gu,
    isPhone,
  ),
  /** 13 to 19 digits whose check digit is right, with spaces or dashes between them. */
  card: replaceIf('card', /(?<!\d[.-]?)\d(?:[ -]?\d){12,18}(?![.-]?\d)/g, isCard),
  /** `123-45-6789` */
  ssn: replaceIf('ssn', /(?<![\d-])\d{3}([- ])\d{2}\1\d{4}(?![\d-])/g, isSsn),
  /** Keys of vendors by their form, private keys, passwords in URLs, and whatever stands after `api_key=` and the like. */
  apiKey: replaceAll(
    'apiKey',
    /\b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]{1,16}[-_]){0,4}[A-Za-z0-9_-]{16,512}/g,
    /\b(?:gsk|xai|pplx|hf|r8|csk|fw|tgp|tvly|gh[opsur]|github_pat|glpat|npm|xox[abprs]|lsv2|lf|dop|whsec|GOCSPX)[-_][A-Za-z0-9_-]{16,255}/g,
    /\b(?:AKIA|ASIA|AIza|ya29\.)[A-Za-z0-9_-]{16,255}/g,
    new RegExp(`(?<=(?<![\\p{L}\\p{N}])(?:${names})${quote}\\s{0,3}[=:]\\s{0,3}${quote})${secret}`, 'giu'),
    // Of Google's APIs: https://cloud.google.com/docs/authentication/api-keys-use
    /(?<=[?&]key=)[^\s"'\\&#]{4,512}/g,
    // The password in an address: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
    /(?<=:\/\/[^\s"'\\/@:]{0,64}:)[^\s"'\\/@]{1,512}(?=@)/g,
    // https://www.rfc-editor.org/rfc/rfc7468
    /(?<=-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)[A-Za-z0-9+/=\s\\]{16,16384}/g,
  ),
  /** `Bearer …`, `Basic …`, and JSON web tokens wherever they stand. */
  bearer: replaceAll(
    'bearer',
    /(?<=\b(?:bearer|basic)\s{1,3})[A-Za-z0-9._~+/=-]{8,4096}/gi,
    /\beyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{0,4096}/g,
  ),
});
