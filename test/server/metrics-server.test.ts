import { describe, expect, it } from 'vitest';
import { createMetricRegistry } from '../../src/index.ts';
import { createServer, type Serve } from '../../src/server/metrics-server.ts';

/** A port that opens when it is told to. */
function createPort() {
  const opened: { port: number; host: string; stopped: boolean; answer: (request: Request) => Promise<Response> }[] =
    [];
  let open: (error?: Error) => void = () => {};
  const serve: Serve = async (answer, { port, host }) => {
    const error = await new Promise<Error | undefined>((resolve) => {
      open = resolve;
    });
    if (error) throw error;
    const entry = { port: port || 4321, host, stopped: false, answer };
    opened.push(entry);
    return {
      port: entry.port,
      async stop() {
        entry.stopped = true;
      },
    };
  };
  return { serve, opened, open: (error?: Error) => open(error) };
}

const registry = createMetricRegistry();
registry.counter('jobs_total').inc();

describe('createServer', () => {
  it.each([undefined, 5, {}, [registry, null]])('refuses what has no metrics: %s', (sources) => {
    expect(() => createServer(createPort().serve, sources as never)).toThrow('what createTelemetry answers');
  });

  it('has the defaults that its documentation names', async () => {
    const port = createPort();
    const server = createServer(port.serve, registry);
    expect(server.url).toBe('http://127.0.0.1:8000/metrics');
    const started = server.start();
    port.open();
    await started;
    expect(port.opened[0]).toMatchObject({ port: 8000, host: '0.0.0.0' });
  });

  it('opens one port, however often it is started', async () => {
    const port = createPort();
    const server = createServer(port.serve, registry, { port: 0, host: '::1' });
    const starts = [server.start(), server.start()];
    expect(server.isRunning).toBe(false);
    port.open();
    await Promise.all(starts);
    await server.start();
    expect([port.opened.length, server.isRunning, server.url]).toEqual([1, true, 'http://[::1]:4321/metrics']);
  });

  it('closes a port that was still opening when it was stopped', async () => {
    const port = createPort();
    const server = createServer(port.serve, registry);
    const [started, stopped] = [server.start(), server.stop()];
    port.open();
    await Promise.all([started, stopped]);
    expect([port.opened[0]?.stopped, server.isRunning]).toEqual([true, false]);
  });

  it('rejects where the port does not open, and can be started again', async () => {
    const port = createPort();
    const server = createServer(port.serve, registry);
    const failed = server.start();
    port.open(new Error('in use'));
    await expect(failed).rejects.toThrow('in use');
    expect(server.isRunning).toBe(false);
    const started = server.start();
    port.open();
    await started;
    expect(server.isRunning).toBe(true);
  });

  it('answers at its path only', async () => {
    const port = createPort();
    const server = createServer(port.serve, [registry], {
      path: '/internal/metrics',
      filter: (name) => name === 'jobs_total',
    });
    const started = server.start();
    port.open();
    await started;
    const { answer } = port.opened[0]!;
    const page = await answer(new Request('http://localhost/internal/metrics?all=1'));
    expect([page.status, (await page.text()).includes('jobs_total 1')]).toEqual([200, true]);
    expect((await answer(new Request('http://localhost/metrics'))).status).toBe(404);
  });
});
