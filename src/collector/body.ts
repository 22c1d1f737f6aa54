import { Refusal } from './refusal.ts';

export interface BodyLimits {
  readonly bodyBytes: number;
  readonly inflatedBytes: number;
}

type Packing = 'gzip' | 'deflate';

/** What `content-encoding` calls them: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1 */
const packings: Readonly<Record<string, Packing | undefined>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  identity: undefined,
  '': undefined,
};

/** Members that a gzip may have. */
const maxMembers = 1024;
/** Places that look as if a member began: chance makes one in 100 million bytes. */
const maxMistakes = 8;

/** The body of a request, unpacked. Reads no more than the limits say: what unpacks to more is left where it is. */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (!Object.hasOwn(packings, encoding)) {
    throw new Refusal(415, 'unsupported_media_type', 'content-encoding must be gzip, deflate or identity', {
      field: 'content-encoding',
    });
  }
  const length = Number(request.headers.get('content-length') ?? Number.NaN);
  if (length > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
  // A server reads as much as the length that was announced, so nothing has to be counted, and no stream made.
  const sent = Number.isFinite(length)
    ? await readWhole(request)
    : request.body
      ? await readStream(request.body, limits.bodyBytes, 'sent')
      : new Uint8Array(0);
  if (sent.length > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
  const packing = packings[encoding];
  return packing ? unpack(sent, packing, limits.inflatedBytes) : sent;
}

async function unpack(sent: Uint8Array<ArrayBuffer>, packing: Packing, max: number): Promise<Uint8Array> {
  try {
    return await inflate(sent, packing, max);
  } catch (error) {
    const isWhole = packing !== 'gzip' || nextMember(sent, 0) === sent.length;
    if (isWhole || isTooLarge(error)) throw error;
  }
  return unpackMembers(sent, max);
}

/**
 * Gzip of several members, of which most runtimes read the first and call the others junk. One ends where another seems
 * to begin and its checksum is right. https://www.rfc-editor.org/rfc/rfc1952#section-2.2
 */
async function unpackMembers(sent: Uint8Array<ArrayBuffer>, max: number): Promise<Uint8Array> {
  const members: Uint8Array[] = [];
  let size = 0;
  let start = 0;
  let mistakes = 0;
  for (let end = nextMember(sent, 0); start < sent.length; end = nextMember(sent, end)) {
    try {
      const member = await inflate(sent.subarray(start, end), 'gzip', max - size);
      members.push(member);
      size += member.length;
      start = end;
    } catch (error) {
      if (isTooLarge(error)) throw tooLarge(max, 'unpacked');
      if (end === sent.length || ++mistakes > maxMistakes) throw error;
    }
    if (members.length > maxMembers) throw new Refusal(413, 'too_large', `a gzip has at most ${maxMembers} members`);
  }
  return join(members, size);
}

/** Where after this place a member seems to begin: two magic bytes, the one method that there is, flags that are known. */
function nextMember(bytes: Uint8Array, after: number): number {
  for (let at = bytes.indexOf(0x1f, after + 1); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && (bytes[at + 3] ?? 0xff) < 0x20) return at;
  }
  return bytes.length;
}

function inflate(bytes: Uint8Array<ArrayBuffer>, packing: Packing, max: number): Promise<Uint8Array> {
  return readStream(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(packing)), max, 'unpacked');
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'too_large';
}

async function readWhole(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch {
    throw new Refusal(400, 'bad_request', 'the body ended early');
  }
}

async function readStream(
  stream: ReadableStream<Uint8Array>,
  max: number,
  how: 'sent' | 'unpacked',
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.length;
      if (size > max) throw tooLarge(max, how);
      chunks.push(part.value);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof Refusal) throw error;
    throw how === 'unpacked'
      ? new Refusal(400, 'bad_request', 'the body is not what content-encoding says, or ended early', {
          field: 'content-encoding',
        })
      : new Refusal(400, 'bad_request', 'the body ended early');
  }
  return join(chunks, size);
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function tooLarge(max: number, how: 'sent' | 'unpacked' = 'sent'): Refusal {
  return new Refusal(413, 'too_large', `the body has more than ${max} bytes${how === 'unpacked' ? ' unpacked' : ''}`);
}
