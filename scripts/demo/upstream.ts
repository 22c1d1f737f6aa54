import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export interface UpstreamOptions {
  /** Output tokens of the streamed chat completion. */
  tokens: number;
  /** Status that a request for an error gets. */
  error: number;
}

/** A model that answers on loopback in the vendors' wire formats: OpenAI chat completions and Anthropic messages. */
export function createUpstream({ tokens, error }: UpstreamOptions) {
  return createServer((request, response) => answer(request, response).catch(() => response.destroy()));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await readText(request)) as { messages: { content: string }[] };
    if (body.messages[0]?.content.includes('fail')) return refuse(response, error);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (request.url?.endsWith('/v1/messages')) return answerMessage(response);
    return answerChat(response, tokens);
  }
}

async function answerChat(response: ServerResponse, tokens: number): Promise<void> {
  const chunk = (choices: unknown[], usage: unknown = null) => {
    const common = { id: 'chatcmpl-demo', object: 'chat.completion.chunk', model: 'gpt-4o-mini-2024-07-18' };
    response.write(`data: ${JSON.stringify({ ...common, choices, usage })}\n\n`);
  };
  const delta = (delta: unknown, finish_reason: string | null = null) => [{ index: 0, delta, finish_reason }];
  chunk(delta({ role: 'assistant', content: '' }));
  await pause(120);
  for (const word of ['Edges ', 'are ', 'where ', 'things ', 'happen.']) {
    chunk(delta({ content: word }));
    await pause(25);
  }
  chunk(delta({}, 'stop'));
  const prompt_tokens = 25;
  chunk([], {
    prompt_tokens,
    completion_tokens: tokens,
    total_tokens: prompt_tokens + tokens,
    prompt_tokens_details: { cached_tokens: 0 },
  });
  response.end('data: [DONE]\n\n');
}

async function answerMessage(response: ServerResponse): Promise<void> {
  const event = (type: string, rest: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
  const usage = { input_tokens: 380, cache_creation_input_tokens: 0, cache_read_input_tokens: 1200, output_tokens: 1 };
  event('message_start', {
    message: { id: 'msg_demo', type: 'message', model: 'claude-sonnet-4-5-20250929', content: [], usage },
  });
  await pause(90);
  const content_block = { type: 'tool_use', id: 'toolu_demo', name: 'get_weather', input: {} };
  event('content_block_start', { index: 0, content_block });
  for (const partial_json of ['{"city":', ' "Lisbon"}']) {
    event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json } });
    await pause(30);
  }
  event('content_block_stop', { index: 0 });
  event('message_delta', { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 48 } });
  event('message_stop', {});
  response.end();
}

function refuse(response: ServerResponse, status: number): void {
  const error = { message: 'The demo was asked to fail.', type: status === 529 ? 'overloaded_error' : 'server_error' };
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: status === 429 ? { ...error, code: 'rate_limit_exceeded' } : error }));
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}
