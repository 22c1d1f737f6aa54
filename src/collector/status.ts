import type { Hono } from 'hono';
import { TelemetryError } from '../errors.ts';
import { asObject, parseJson } from '../json.ts';
import type { Access } from './access.ts';
import { readBody } from './body.ts';
import { readBudgets } from './budget-figures.ts';
import type { ReadWaitUntil } from './client.ts';
import type { Forward } from './forward.ts';
import type { Intake } from './intake.ts';
import type { Live } from './live.ts';
import { liveHeaders, openPolledLive } from './live-poll.ts';
import type { MetricsPage } from './metrics-page.ts';
import { Refusal } from './refusal.ts';
import type { LiveSettings } from './settings.ts';
import { type Stats, statsBy } from './stats.ts';
import type { TraceStore } from './trace-store.ts';

export interface StatusPorts {
  readonly access: Access;
  readonly settings: LiveSettings;
  readonly intake: Intake;
  readonly live: Live;
  readonly stats: Stats;
  readonly page: MetricsPage;
  readonly traces: TraceStore;
  readonly forward: Forward | undefined;
  readonly ephemeral: boolean;
  readonly readWaitUntil: ReadWaitUntil;
  readonly now: () => number;
  /** Whether the trace store took what it was given last. */
  readonly isStoring: () => boolean;
}

const maxConfigBytes = 65_536;
const defaultMinutes = 60;

/** The routes that say how the collector is, and that change it. */
export function addStatusRoutes(app: Hono, ports: StatusPorts): void {
  const { access, settings, live, stats, page } = ports;

  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.get('/ready', (context) => {
    const { reasons, percent } = readReasons(ports);
    const status = reasons.length === 0 ? 'ready' : 'not_ready';
    return context.json({ status, queue_pct: percent, reasons }, reasons.length === 0 ? 200 : 503);
  });
  app.get('/metrics', async (context) => {
    const caller = await access.identify(context.req.raw);
    return page.respond(context.req.raw, caller, access.isOpen);
  });
  app.get('/v1/live', async (context) => {
    const { tenant } = await access.identify(context.req.raw);
    // Who asks for the head alone does not listen, and would never be seen to leave.
    if (context.req.method === 'HEAD') return new Response(null, { headers: liveHeaders });
    const isAlone = ports.ephemeral || ports.readWaitUntil(context) !== undefined;
    return isAlone ? openPolledLive(ports.traces, tenant, ports.now) : live.open(tenant, context.req.raw.signal);
  });
  app.get('/v1/stats', async (context) => {
    const caller = await access.identify(context.req.raw);
    const by = statsBy.find((name) => name === (context.req.query('by') ?? 'model'));
    if (!by) throw new Refusal(400, 'bad_request', `by is ${statsBy.join(', ')}`, { field: 'by' });
    const minutes = Number(context.req.query('window') ?? defaultMinutes);
    if (!(minutes >= 1)) throw new Refusal(400, 'bad_request', 'window is a number of minutes', { field: 'window' });
    const pushed = await page.readPushed(caller, access.isOpen);
    return context.json({ ...stats.read(caller.tenant, minutes, by), budgets: pushed ? readBudgets(pushed) : [] });
  });
  app.get('/config', async (context) => {
    await access.requireAdmin(context.req.raw);
    return context.json(settings.current);
  });
  app.put('/config', async (context) => {
    await access.requireAdmin(context.req.raw);
    const body = await readBody(context.req.raw, { bodyBytes: maxConfigBytes, inflatedBytes: maxConfigBytes });
    const given = asObject(parseJson(new TextDecoder().decode(body)));
    if (!given) throw new Refusal(400, 'bad_request', 'the body is no JSON object');
    return context.json(tryTo(() => settings.change(given)));
  });
  app.post('/config/reload', async (context) => {
    await access.requireAdmin(context.req.raw);
    return context.json(tryTo(settings.reload));
  });
}

/** A setting that is wrong is the fault of who gave it. */
function tryTo<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (!(error instanceof TelemetryError)) throw error;
    throw new Refusal(400, 'bad_request', error.message, { field: error.option });
  }
}

function readReasons({ intake, settings, forward, isStoring }: StatusPorts): { reasons: string[]; percent: number } {
  const { max, softLimit } = settings.current.queue;
  const share = intake.size / max;
  const reasons = [
    share >= softLimit && 'the queue is above its soft limit',
    !isStoring() && 'the trace store does not take spans',
    forward?.isOk === false && 'the endpoint of forward does not take spans',
  ];
  return { reasons: reasons.filter((reason) => reason !== false), percent: Math.round(share * 1000) / 10 };
}
