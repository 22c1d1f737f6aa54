import type { Attributes } from '@opentelemetry/api';
import type { Context, Env, Handler, MiddlewareHandler, Next } from 'hono';
import { checkValues, fn } from '../../src/checks.ts';
import { safely } from '../../src/errors.ts';
import { serveRequest } from '../../src/http/server-span.ts';
import { type MetricSource, type MetricsRouteOptions, metricsHandler, routeChecks } from '../../src/metrics-source.ts';
import { getParts } from '../../src/parts.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { getServer } from '../../src/trace/context.ts';

export type TelemetryVariables = { telemetry: Telemetry };
/** What Hono takes where an app has not said what its environment is. */
type AnyEnv = Context extends Context<infer E> ? E : Env;

export interface TelemetryMiddlewareOptions {
  /** Requests that get no span; none by default. */
  ignore?: (c: Context) => boolean;
  /** More attributes of the SERVER span; none by default. */
  attributes?: (c: Context) => Record<string, string>;
}

/**
 * A SERVER span named by the route, around everything behind it, and the flush at its end. Sets `c.var.telemetry`.
 * Inside `instrument` it names that span by the route instead of opening a second one.
 *
 * @example
 * app.use(telemetryMiddleware(telemetry));
 */
export function telemetryMiddleware(
  telemetry: Telemetry,
  options: TelemetryMiddlewareOptions = {},
): MiddlewareHandler<{ Variables: TelemetryVariables }> {
  const parts = getParts(telemetry);
  checkValues(options, { ignore: fn, attributes: fn });
  const report = (error: unknown) => parts.engine.diagnostics.report(error);

  async function traceRequest(c: Context, next: Next): Promise<void> {
    parts.bind?.(c.env);
    c.set('telemetry', telemetry);
    if (safely(() => options.ignore?.(c), report)) return next();
    const attributes: Attributes | undefined = safely(() => options.attributes?.(c), report);
    const outer = getServer(parts.view.active(), parts.engine);
    if (outer && attributes) outer.span.setAttributes(attributes);
    const response = await serveRequest(parts, {
      request: c.req.raw,
      attributes,
      waitUntil: waitUntilOf(c),
      async handle(context) {
        // Where no async context reaches, its spans still belong to this request.
        c.set('telemetry', telemetry.scoped({ parent: context }));
        const server = getServer(context, parts.engine);
        try {
          await next();
        } finally {
          // Also of what throws anything but an `Error`, which Hono hands on to its host.
          const route = routeOf(c, traceRequest);
          if (route !== undefined) server?.setRoute(route);
        }
        if (c.error) server?.setError(c.error);
        // Hono makes an error of a handler that forgot its answer; its `res` would pass for a 200.
        return c.finalized ? c.res : (undefined as never);
      },
    });
    if (!response || response === c.res) return;
    // Else Hono would take over the old one's headers, which the new one has or may no longer have.
    c.res = undefined;
    c.res = response;
  }
  return traceRequest;
}

/**
 * The pattern of what answered: the last that Hono ran. `undefined` where that is a middleware which found nobody
 * behind it. (The last that matched may be a catch-all that never ran.)
 */
function routeOf(c: Context, own: unknown): string | undefined {
  // By the request itself: `hono/route` is not in every version, and knows only requests of its own copy of Hono.
  const route = c.req.matchedRoutes[c.req.routeIndex];
  if (!route || route.handler === own) return undefined;
  const isMiddleware = route.method === 'ALL' && route.handler.length > 1;
  return isMiddleware && c.res.status === 404 ? undefined : route.path;
}

/**
 * A metrics page as a route. A token that is given and comes out empty answers 503: a forgotten secret must not
 * publish metrics.
 *
 * @example
 * app.get('/metrics', metricsRoute(telemetry, { token: (c) => c.env.METRICS_TOKEN }));
 */
export function metricsRoute<E extends Env = AnyEnv>(
  sources: MetricSource | readonly MetricSource[],
  options: Pick<MetricsRouteOptions, 'filter'> & { token?: string | ((c: Context<E>) => string | undefined) } = {},
): Handler<E> {
  checkValues(options, routeChecks);
  const { token, ...rest } = options;
  return (c) => {
    const own = 'token' in options && { token: () => (typeof token === 'function' ? token(c) : token) };
    return metricsHandler(sources, { ...rest, ...own })(c.req.raw);
  };
}

/** Hono throws where the host has no execution context, as on Node. */
function waitUntilOf(c: Context): ((promise: Promise<unknown>) => void) | undefined {
  try {
    const { executionCtx } = c;
    return (promise) => executionCtx.waitUntil(promise);
  } catch {
    return undefined;
  }
}
