import { asObject, parseJson } from '../../src/json.ts';
import { CommandError } from './command.ts';
import { readText } from './config-file.ts';

const ed25519 = { name: 'Ed25519' };
const rawBytes = 32;

/** PEM (SPKI), JWK, or the 32 bytes themselves in base64 or hex. */
export async function readPublicKey(path: string): Promise<CryptoKey> {
  const text = readText(path, 'the public key').trim();
  return imported(path, 'an Ed25519 public key as PEM, JWK, base64 or hex', () => {
    const jwk = asObject(parseJson(text));
    if (jwk)
      return crypto.subtle.importKey('jwk', { ...jwk, key_ops: ['verify'] } as JsonWebKey, ed25519, true, ['verify']);
    const pem = readPem(text, 'PUBLIC KEY');
    if (pem) return crypto.subtle.importKey('spki', pem, ed25519, true, ['verify']);
    const bytes = /^[\da-f]{64}$/i.test(text) ? fromHex(text) : fromBase64(text);
    if (bytes.length !== rawBytes) throw new TypeError('not 32 bytes');
    return crypto.subtle.importKey('raw', bytes, ed25519, true, ['verify']);
  });
}

/** PEM (PKCS 8), as `openssl genpkey -algorithm ed25519` writes it. */
export async function readSigningKey(path: string): Promise<CryptoKey> {
  const pem = readPem(readText(path, 'the signing key'), 'PRIVATE KEY');
  return imported(path, 'an Ed25519 private key as PEM (PKCS 8)', () => {
    if (!pem) throw new TypeError('no PEM');
    return crypto.subtle.importKey('pkcs8', pem, ed25519, false, ['sign']);
  });
}

async function imported(path: string, wanted: string, make: () => Promise<CryptoKey>): Promise<CryptoKey> {
  try {
    return await make();
  } catch {
    // Without the cause, which may quote a key.
    throw new CommandError(`${path} is not ${wanted}`);
  }
}

/** https://www.rfc-editor.org/rfc/rfc7468 */
function readPem(text: string, label: string): Uint8Array<ArrayBuffer> | undefined {
  const [, body] = new RegExp(`-----BEGIN ${label}-----([\\s\\S]*?)-----END ${label}-----`).exec(text) ?? [];
  return body === undefined ? undefined : fromBase64(body);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replace(/\s/g, '').replace(/-/g, '+').replace(/_/g, '/')), (char) =>
    char.charCodeAt(0),
  );
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
