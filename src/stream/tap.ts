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
export function tapBody(body: ReadableStream<Uint8Array>, observer: BodyObserver): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let ended = false;

  function end(reason: 'done' | 'error' | 'cancel', error?: unknown): void {
    if (ended) return;
    ended = true;
    try {
      observer.end(reason, error);
    } catch {}
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          observer.pull?.();
          const { done, value } = await reader.read();
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
        } catch (error) {
          end('error', error);
          throw error;
        }
      },
      cancel(reason) {
        end('cancel', reason);
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
