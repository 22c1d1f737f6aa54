/** Sees what passes through a body. What it throws is swallowed. */
export interface BodyObserver {
  /** Somebody asks for bytes. */
  pull?(): void;
  chunk(bytes: Uint8Array): void;
  /** Called exactly once: the body came to its end, failed, or its consumer left; `error` is why it failed or left. */
  end(reason: 'done' | 'error' | 'cancel', error?: unknown): void;
}

/**
 * The same body, observed: the very chunks, one read for each pull, nothing read ahead, errors and cancellation handed
 * on. A `tee` would hold back the slower branch on workerd and buffer without bound elsewhere; a `TransformStream`
 * reads ahead and does not pass `cancel` on everywhere.
 *
 * @example
 * new Response(tapBody(response.body, { chunk: (bytes) => { size += bytes.length }, end: () => {} }), response);
 */
export function tapBody(
  body: ReadableStream<Uint8Array>,
  observer: BodyObserver,
  /** Aborted when the consumer has gone, for hosts that then neither read on nor cancel, as workerd. */
  signal?: AbortSignal,
): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array>;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let ended = false;

  function end(reason: 'done' | 'error' | 'cancel', error?: unknown): void {
    if (ended) return;
    ended = true;
    signal?.removeEventListener('abort', leave);
    try {
      observer.end(reason, error);
    } catch {}
  }

  function pass({ done, value }: ReadableStreamReadResult<Uint8Array>): void {
    if (ended) return;
    if (done) {
      controller.close();
      end('done');
      return;
    }
    controller.enqueue(value);
    try {
      observer.chunk(value);
    } catch {}
  }

  function fail(error: unknown): never {
    end('error', error);
    throw error;
  }

  function leave(): void {
    const reason: unknown = signal?.reason;
    end('cancel', reason);
    controller.error(reason);
    reader.cancel(reason).catch(() => {});
  }

  // Callbacks made once a body: an async function would make them anew for each chunk.
  const tapped = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
        // Not before: where streams can't be made, as on Workers of old dates, the body must stay as it was.
        reader = body.getReader();
      },
      pull() {
        try {
          observer.pull?.();
        } catch {}
        return reader.read().then(pass, fail);
      },
      cancel(reason) {
        end('cancel', reason);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  if (signal?.aborted) leave();
  else signal?.addEventListener('abort', leave);
  return tapped;
}
