import { checkValues, integer, join, string } from '../checks.ts';
import { type MetricSource, type MetricsRouteOptions, metricsHandler, routeChecks } from '../metrics-source.ts';

/** A running HTTP server, as a runtime's port gives it. */
export interface Listening {
  readonly port: number;
  stop(): Promise<void>;
}

/** How a runtime serves: the one thing its adapter brings. */
export type Serve = (
  handler: (request: Request) => Promise<Response>,
  options: { port: number; host: string },
) => Promise<Listening>;

export interface MetricsServerOptions extends MetricsRouteOptions {
  /** 8000 by default; 0 takes any that is free. */
  port?: number;
  /** The address it listens on; `0.0.0.0` by default, which is all. */
  host?: string;
  /** Of the page; `/metrics` by default, everything else is 404. */
  path?: string;
}

export interface MetricsServer {
  /** Resolves once the port is open; a second call is a no-op. */
  start(): Promise<void>;
  /** Before `start` a no-op. */
  stop(): Promise<void>;
  readonly isRunning: boolean;
  /** Of the metrics page; the port asked for until the server runs. */
  readonly url: string;
}

const checks = /* @__PURE__ */ join(routeChecks, {
  port: /* @__PURE__ */ integer(0, 65_535),
  host: string,
  path: { allowed: 'a path, as "/metrics"', test: (v) => typeof v === 'string' && v.startsWith('/') },
});

/** A server of its own for `/metrics`, for programs that have none. Throws a `TelemetryError` for wrong options. */
export function createServer(
  serve: Serve,
  sources: MetricSource | readonly MetricSource[],
  options: MetricsServerOptions = {},
): MetricsServer {
  checkValues(options, checks);
  const { port = 8000, host = '0.0.0.0', path = '/metrics', ...route } = options;
  const page = metricsHandler(sources, route);
  let starting: Promise<Listening> | undefined;
  let listening: Listening | undefined;

  async function answer(request: Request): Promise<Response> {
    return new URL(request.url).pathname === path ? page(request) : new Response('Not Found\n', { status: 404 });
  }

  return {
    async start() {
      starting ??= serve(answer, { port, host });
      try {
        listening = await starting;
      } catch (error) {
        starting = undefined;
        throw error;
      }
    },
    async stop() {
      const server = await starting?.catch(() => undefined);
      starting = undefined;
      listening = undefined;
      await server?.stop();
    },
    get isRunning() {
      return listening !== undefined;
    },
    get url() {
      const name = host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
      return `http://${name}:${listening?.port ?? port}${path}`;
    },
  };
}
