import { createTelemetry, instrument } from 'edgespan/deno';

type Info = { completed: Promise<void> };
declare const Deno: {
  env: { get(name: string): string | undefined };
  serve(handler: (request: Request, info: Info) => Response | Promise<Response>): void;
};

/** A chat on Deno with no SDK at all: the vendor's stream goes to the browser as it comes. */
const telemetry = createTelemetry();

function ask(question: string): Promise<Response> {
  const headers = new Headers({ 'content-type': 'application/json', 'anthropic-version': '2023-06-01' });
  headers.set('x-api-key', Deno.env.get('ANTHROPIC_API_KEY') ?? '');
  const messages = [{ role: 'user', content: question }];
  const body = JSON.stringify({ model: 'claude-sonnet-4-6', max_tokens: 256, stream: true, messages });
  return telemetry.fetch('https://api.anthropic.com/v1/messages', { method: 'POST', headers, body });
}

const handler = instrument(async (request, _info: Info) => {
  const { question } = (await request.json()) as { question: string };
  return ask(question);
}, telemetry);

Deno.serve(handler);
