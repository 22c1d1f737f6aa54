import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { chatCompletion, chatStream, messageStream } from '../suites/upstream.ts';
import { listen } from './otlp-server.ts';

export type ModelServer = Awaited<ReturnType<typeof startModelServer>>;

/**
 * A model on loopback: OpenAI's chat completions, streamed or not, and Anthropic's messages. A stream stops before its
 * third event while it is held, which a message has named its input tokens by then.
 */
export async function startModelServer() {
  let held: Promise<void> = Promise.resolve();
  let release = () => {};
  const requests: { path: string; headers: Record<string, unknown> }[] = [];
  const closed: { finished: boolean }[] = [];
  const waiting = new Set<() => void>();

  async function stream(response: ServerResponse, events: readonly string[]): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const [index, event] of events.entries()) {
      if (index === 2) await Promise.race([held, once(response, 'close')]);
      if (response.destroyed) return;
      response.write(event);
    }
    response.end();
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const { stream: streamed } = JSON.parse(text) as { stream?: boolean };
    requests.push({ path: request.url ?? '', headers: request.headers });
    response.once('close', () => {
      closed.push({ finished: response.writableFinished });
      for (const look of waiting) look();
    });
    if (request.url?.endsWith('/v1/messages')) return stream(response, messageStream);
    if (streamed) return stream(response, chatStream);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chatCompletion));
  }

  const server = createServer((request, response) => void answer(request, response).catch(() => {}));
  const url = await listen(server);

  return {
    url,
    requests,
    closed,
    /** Streams stop in their middle until `release` is called. */
    hold(): void {
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
    /** Resolves when so many answers were closed, whether they had come to their end or not. */
    closes(count: number): Promise<void> {
      return new Promise((resolve) => {
        function look(): void {
          if (closed.length < count) return;
          waiting.delete(look);
          resolve();
        }
        waiting.add(look);
        look();
      });
    },
    clear(): void {
      requests.length = 0;
      closed.length = 0;
    },
    async stop(): Promise<void> {
      release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
