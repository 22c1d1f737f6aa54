import { DurableObject } from 'cloudflare:workers';
import { createTelemetry, instrument } from 'edgespan/workers';
import OpenAI from 'openai';

interface Job {
  prompt: string;
  trace: Record<string, string>;
}

/** Work that arrives by queue, cron and RPC; none of these carries trace headers, so the carrier travels in the data. */
const telemetry = createTelemetry((env) => ({ serviceName: 'jobs', otlp: { endpoint: env.OTLP_ENDPOINT } }));

async function work({ prompt, trace }: Job, env: Env): Promise<void> {
  const openai = new OpenAI({ apiKey: env.OPENAI_API_KEY, fetch: telemetry.fetch });
  const parent = telemetry.extract(trace);
  await telemetry.span('process job', { parent }, () =>
    openai.responses.create({ model: 'gpt-4o-mini', input: prompt }),
  );
}

const handlers = {
  async queue(batch, env) {
    for (const message of batch.messages) {
      await work(message.body, env);
      message.ack();
    }
  },
  async scheduled(_controller, env) {
    await env.JOBS.send({ prompt: 'daily', trace: telemetry.inject() });
  },
} satisfies ExportedHandler<Env, Job>;
export default instrument(handlers, telemetry);

class RoomBase extends DurableObject<Env> {
  async say(text: string, trace: Record<string, string>): Promise<number> {
    return telemetry.span('room.say', { parent: telemetry.extract(trace) }, (span) => {
      span.setAttribute('room.length', text.length);
      return text.length;
    });
  }
}
export class Room extends instrument(RoomBase, telemetry) {}
