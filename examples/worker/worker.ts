import { metricsRoute, telemetryMiddleware } from 'edgespan/hono';
import { createTelemetry, type Price } from 'edgespan/workers';
import { Hono } from 'hono';

interface Env {
  OPENAI_API_KEY?: string;
  OPENAI_URL: string;
  ANTHROPIC_URL: string;
  /** USD per million tokens, `input,output`, for models of your own or prices you have agreed on. */
  PRICES?: string;
  LOCAL_METRICS?: string;
}

const telemetry = createTelemetry((env: Env) => ({
  metrics: { local: env.LOCAL_METRICS === 'true' },
  ...(env.PRICES && { prices: { 'gpt-4o-mini': priceOf(env.PRICES), 'claude-sonnet-4-5': priceOf(env.PRICES) } }),
}));

const app = new Hono<{ Bindings: Env }>();
app.use(telemetryMiddleware(telemetry));
app.get('/metrics', metricsRoute(telemetry));

/** Streams a chat completion straight through to the client. */
app.post('/chat', async (c) => {
  const { message } = await c.req.json<{ message: string }>();
  const answer = await telemetry.fetch(`${c.env.OPENAI_URL}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${c.env.OPENAI_API_KEY ?? 'none'}` },
    body: JSON.stringify({
      model: 'gpt-4o-mini',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: message }],
    }),
  });
  return new Response(answer.body, { status: answer.status, headers: { 'content-type': 'text/event-stream' } });
});

const weather = telemetry.tool({ name: 'get_weather' }, async (city: string) => `${city}: 21 °C`);

/** An agent: the model asks for a tool, the tool runs, its result is the answer. */
const forecast = telemetry.agent({ name: 'forecast' }, async (url: string, message: string) => {
  const answer = await telemetry.fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({
      model: 'claude-sonnet-4-5',
      max_tokens: 256,
      stream: true,
      tools: [{ name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }],
      messages: [{ role: 'user', content: message }],
    }),
  });
  const asked = [...(await answer.text()).matchAll(/"partial_json":"((?:[^"\\]|\\.)*)"/g)];
  const { city } = JSON.parse(asked.map(([, part]) => JSON.parse(`"${part}"`)).join('')) as { city: string };
  return weather(city);
});

app.post('/forecast', async (c) => {
  const { message } = await c.req.json<{ message: string }>();
  return c.text(await forecast(c.env.ANTHROPIC_URL, message));
});

export default app;

function priceOf(prices: string): Price {
  const [input = 0, output = 0] = prices.split(',').map(Number);
  return { input, output };
}
