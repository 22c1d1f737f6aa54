import process from 'node:process';
import { createCollector } from '../../src/collector/create-collector.ts';
import type { LiveOptions } from '../../src/collector/options.ts';
import { messageOf, TelemetryError } from '../../src/errors.ts';
import { openOptions, readLive } from './collector-options.ts';
import { type SettingPath, type SettingValues, settings, toFlag, variablePrefix } from './collector-settings.ts';
import { type Command, type Flag, type GivenFlags, UsageError } from './command.ts';
import { type HttpServer, listen } from './http-server.ts';
import { isLoopback, isOwnAddress, toUrlHost } from './own-address.ts';
import { printConfig } from './print-config.ts';
import { configVariable, readSettings } from './read-settings.ts';
import type { Terminal } from './terminal.ts';

/** For answers that are being written when the time is over. */
const lastWordsMs = 500;

export const collector: Command = {
  name: 'collector',
  summary: 'takes spans and metrics, keeps, prices, forwards and shows them',
  usage: '[flags]',
  flags: {
    config: { value: 'FILE', help: 'options from a JSON or YAML file' },
    'print-config': { help: 'print what would be used and where it comes from, without secrets, and end' },
    ...Object.fromEntries(Object.entries(settings).map(describe)),
  },
  notes: [
    `Each option may also be a variable, --queue-soft-limit as ${variablePrefix}QUEUE_SOFT_LIMIT, and stand in the file of`,
    `--config or ${configVariable}, as queue: { softLimit: 0.7 }. A flag beats a variable, that beats the file.`,
    'A switch is turned off by --no-, as --no-dashboard. SIGTERM and SIGINT store what was accepted, and then end it.',
  ],
  async run({ values: flags, positionals }, terminal) {
    if (positionals.length > 0) throw new UsageError(`what is ${positionals[0]}? Options begin with --`);
    const merged = readSettings(flags, terminal.env);
    const asJson = flags.json === true;
    if (flags['print-config']) {
      printConfig(merged, asJson, terminal);
      return 0;
    }
    const reload = () => readLive(readAgain(flags, terminal.env));
    return serve(merged.values, reload, asJson, terminal);
  },
};

function describe([path, { kind, help, fallback }]: [string, (typeof settings)[SettingPath]]): [string, Flag] {
  const flag = toFlag(path);
  const off = fallback === true ? `; --no-${flag} turns it off` : '';
  const shown = typeof fallback === 'boolean' || fallback === undefined ? off : ` [${fallback}]`;
  return [
    flag,
    { help: help + shown, ...(kind.shown && { value: kind.shown }), ...(kind.shown === 'A,B' && { repeats: true }) },
  ];
}

/** What the file says by now. Whoever asks for it by HTTP is told what is wrong with it, as of any other option. */
function readAgain(flags: GivenFlags['values'], env: Terminal['env']): SettingValues {
  try {
    return readSettings(flags, env).values;
  } catch (error) {
    throw new TelemetryError('invalid_option', messageOf(error), { option: 'config', cause: error });
  }
}

async function serve(
  values: SettingValues,
  reload: () => LiveOptions,
  asJson: boolean,
  terminal: Terminal,
): Promise<number> {
  const warn = ({ code, message }: TelemetryError) => {
    if (asJson) terminal.json({ event: 'warning', code, message });
    else terminal.error(`${terminal.style('yellow', 'warning:')} ${message} (${code})`);
  };
  const { host = '127.0.0.1', port = 4318, shutdownTimeoutMs = 10_000 } = values;
  const target = values['forward.endpoint'];
  if (target !== undefined && isOwnAddress(target, host, port)) {
    throw new UsageError('forward.endpoint is this collector itself: each span that it forwards would come back to it');
  }
  const stopped = waitForSignal();
  const { options, close } = await openOptions(values, terminal.env, warn);
  try {
    const app = createWith({ ...options, reload });
    const server = await listen((request, env) => app.fetch(request, env), port, host);
    const url = `http://${toUrlHost(host)}:${server.port}`;
    if (!options.keys && !isLoopback(host)) warn(openToAll(host));
    announce(url, values, asJson, terminal);
    const signal = await stopped;
    if (!asJson) terminal.error(`${signal}: storing what was accepted …`);
    await drain(app, server, shutdownTimeoutMs);
    if (asJson) terminal.json({ event: 'stopped', signal });
    else terminal.out('edgespan collector has stopped');
    return 0;
  } finally {
    close();
  }
}

/** What settings can't know, as how limits stand to each other, `createCollector` says. */
function createWith(options: Parameters<typeof createCollector>[0]): ReturnType<typeof createCollector> {
  try {
    return createCollector(options);
  } catch (error) {
    throw error instanceof TelemetryError ? new UsageError(error.message) : error;
  }
}

function openToAll(host: string): TelemetryError {
  const message = `whoever reaches ${host} may read and send: give --keys, or listen on 127.0.0.1`;
  return new TelemetryError('insecure_endpoint', message);
}

function announce(url: string, { store, dashboard }: SettingValues, asJson: boolean, terminal: Terminal): void {
  if (asJson) {
    terminal.json({ event: 'listening', url, store, dashboard });
    return;
  }
  terminal.out(`${terminal.style('bold', 'edgespan collector')} listens on ${url}`);
  terminal.out(`  OTLP       OTEL_EXPORTER_OTLP_ENDPOINT=${url}  (JSON or protobuf)`);
  if (dashboard) terminal.out(`  dashboard  ${url}/`);
  terminal.out(`  metrics    ${url}/metrics`);
  terminal.out(`  traces     ${store === 'memory' ? 'in memory: gone when it ends' : store}`);
}

/** The first of the two signals; after it the next one ends the process at once, as it would without us. */
function waitForSignal(): Promise<string> {
  return new Promise((resolve) => {
    const signals = ['SIGTERM', 'SIGINT'] as const;
    const listeners = signals.map((signal) => [signal, () => stop(signal)] as const);
    function stop(signal: string): void {
      for (const [name, listener] of listeners) process.off(name, listener);
      resolve(signal);
    }
    for (const [name, listener] of listeners) process.on(name, listener);
  });
}

/** Requests that came in are answered: their connections are closed only once all is stored. */
async function drain(
  app: { shutdown(timeoutMs?: number): Promise<void> },
  server: HttpServer,
  timeoutMs: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  server.stopListening();
  await app.shutdown(timeoutMs);
  await server.close(Math.max(lastWordsMs, deadline - performance.now()));
}
