import { Refusal } from './refusal.ts';

export interface BodyLimits {
  readonly bodyBytes: number;
  readonly inflatedBytes: number;
}

/** The body of a request, unpacked. Reads no more than the limits say: what unpacks to more is left where it is. */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip' && encoding !== '') {
    throw new Refusal(415, 'unsupported_media_type', 'content-encoding must be gzip or identity', {
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
  if (encoding !== 'gzip') return sent;
  return readStream(
    new Blob([sent]).stream().pipeThrough(new DecompressionStream('gzip')),
    limits.inflatedBytes,
    'unpacked',
  );
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
      ? new Refusal(400, 'bad_request', 'the body is no gzip', { field: 'content-encoding' })
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
