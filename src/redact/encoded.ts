/** What stands between addresses, in prose and in JSON. */
const token = /[^\s"'<>\\]+/g;
const pair = /[^\s"'<>\\?&;#]+/g;
const escapes = /(?:%[0-9a-f]{2})+/gi;

/**
 * Texts in which URLs or forms may hide a secret: `jane%40example.com`, `4111+1111`. Where a rule takes something out of
 * what such an address says, the address goes on decoded, and as one word.
 */
export function redactEncoded(text: string, clean: (plain: string) => string): string {
  if (!/[%+]/.test(text)) return text;
  return text.replace(token, (given) => {
    const plain = decode(given);
    if (plain === given) return given;
    const left = clean(plain);
    return left === plain ? given : left.replace(/[\s"'<>\\]/g, encodeURIComponent);
  });
}

function decode(text: string): string {
  return text.replaceAll('+', ' ').replace(escapes, (sequence) => {
    try {
      return decodeURIComponent(sequence);
    } catch {
      return sequence;
    }
  });
}

/** `name=value` in a query, a form or a line: the values of secret names are gone. */
export function redactPairs(text: string, isSecret: (name: string) => boolean, mark: string): string {
  if (!text.includes('=')) return text;
  return text.replace(pair, (given) => {
    const at = given.indexOf('=');
    return at > 0 && isSecret(decode(given.slice(0, at))) ? `${given.slice(0, at)}=${mark}` : given;
  });
}
