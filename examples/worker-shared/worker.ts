import { metricsRoute, telemetryMiddleware } from 'edgespan/hono';
import { createDurableObjectBudgetStore, createDurableObjectMetricStore, createTelemetry } from 'edgespan/workers';
import { Hono } from 'hono';

export { BudgetLedger, MetricsAggregator } from 'edgespan/workers';

interface Env {
  METRICS: DurableObjectNamespace;
  BUDGETS: DurableObjectNamespace;
  METRICS_TOKEN?: string;
  OPENAI_API_KEY?: string;
  OPENAI_URL: string;
}

/** All isolates add up in four objects; each user may spend five dollars a day, wherever the requests arrive. */
const telemetry = createTelemetry((env: Env) => ({
  metrics: { store: createDurableObjectMetricStore(env.METRICS, { shards: 4 }) },
  budget: {
    store: createDurableObjectBudgetStore(env.BUDGETS),
    limits: { usd: 5, window: 'day', key: (call) => call.attributes['user.id']?.toString() },
  },
}));

const app = new Hono<{ Bindings: Env }>();
app.use(telemetryMiddleware(telemetry));
app.get('/metrics', metricsRoute<{ Bindings: Env }>(telemetry, { token: (c) => c.env.METRICS_TOKEN }));

app.post('/chat', async (c) => {
  const { message, user } = await c.req.json<{ message: string; user: string }>();
  const answer = await telemetry.with({ attributes: { 'user.id': user } }, () =>
    telemetry.fetch(`${c.env.OPENAI_URL}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${c.env.OPENAI_API_KEY ?? 'none'}` },
      body: JSON.stringify({
        model: 'gpt-4o-mini',
        max_tokens: 500,
        stream: true,
        stream_options: { include_usage: true },
        messages: [{ role: 'user', content: message }],
      }),
    }),
  );
  // 402 where the user's budget is spent: the answer says until when.
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
});

export default app;
