import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createTelemetry, type ReadableSpan, type TelemetryOptions } from '../../src/index.ts';
import { createProcessPort, installHooks, type ProcessPort, type ShutdownSignal } from '../../src/server/shutdown.ts';

/** A process that is only pretended. */
function createProcess() {
  const listeners = new Map<ShutdownSignal, Set<() => void>>([
    ['SIGTERM', new Set()],
    ['SIGINT', new Set()],
  ]);
  const raised: ShutdownSignal[] = [];
  let others = false;
  let idle: (() => Promise<unknown>) | undefined;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const port: ProcessPort = {
    onSignal: (signal, listener) => void listeners.get(signal)!.add(listener),
    offSignal: (signal, listener) => void listeners.get(signal)!.delete(listener),
    othersListen: () => others,
    raise(signal) {
      raised.push(signal);
      end();
    },
    onIdle(listener) {
      idle = listener;
      return () => {
        idle = undefined;
      };
    },
  };
  return {
    port,
    raised,
    ended,
    send(signal: ShutdownSignal): void {
      for (const listener of [...listeners.get(signal)!]) listener();
    },
    count: () => listeners.get('SIGTERM')!.size + listeners.get('SIGINT')!.size + (idle ? 1 : 0),
    idle: () => idle?.(),
    listen(given: boolean) {
      others = given;
    },
  };
}

function setUp(options: TelemetryOptions = {}) {
  const sent: string[] = [];
  const exporter = (spans: readonly ReadableSpan[]) => void sent.push(...spans.map(({ name }) => name));
  const telemetry = createTelemetry({ exporters: [exporter], ...options });
  telemetry.span('last words', () => {});
  return { telemetry, sent };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('installHooks', () => {
  it('flushes on a signal, takes its listeners away, and then raises it again', async () => {
    const { telemetry, sent } = setUp();
    const host = createProcess();
    installHooks(host.port, telemetry);
    expect(host.count()).toBe(3);
    host.send('SIGTERM');
    expect(host.raised).toEqual([]);
    await settle();
    expect([sent, host.raised, host.count()]).toEqual([['last words'], ['SIGTERM'], 0]);
  });

  it('leaves the end to an application that listens itself, and sends what it records until then', async () => {
    const { telemetry, sent } = setUp();
    const host = createProcess();
    installHooks(host.port, telemetry);
    host.listen(true);
    host.send('SIGTERM');
    await settle();
    expect([sent, host.raised, host.count()]).toEqual([['last words'], [], 3]);
    telemetry.span('drained', () => {});
    await host.idle();
    expect(sent).toEqual(['last words', 'drained']);
  });

  it.each([true, false])('ends at a second signal, whoever listens: %s', async (others) => {
    const host = createProcess();
    installHooks(host.port, setUp().telemetry);
    host.listen(true);
    host.send('SIGINT');
    host.listen(others);
    host.send('SIGINT');
    await settle();
    expect([host.raised, host.count()]).toEqual([['SIGINT'], 0]);
  });

  it('raises the first of several signals, once', async () => {
    const { telemetry } = setUp();
    const host = createProcess();
    installHooks(host.port, telemetry);
    host.send('SIGINT');
    host.send('SIGTERM');
    host.send('SIGINT');
    await settle();
    expect(host.raised).toEqual(['SIGINT']);
  });

  it('ends in time although an exporter never answers', async () => {
    const { telemetry } = setUp({ exporters: [() => new Promise(() => {})] });
    const host = createProcess();
    installHooks(host.port, telemetry, { timeoutMs: 1 });
    host.send('SIGTERM');
    await host.ended;
    expect(host.raised).toEqual(['SIGTERM']);
  });

  it('flushes when there is nothing left to do', async () => {
    const { telemetry, sent } = setUp();
    const host = createProcess();
    installHooks(host.port, telemetry);
    await host.idle();
    expect([sent, host.raised]).toEqual([['last words'], []]);
  });

  it('listens only to the signals it is given', () => {
    const host = createProcess();
    installHooks(host.port, setUp().telemetry, { signals: ['SIGINT'] });
    expect(host.count()).toBe(2);
  });

  it('refuses what is no telemetry, and hooks nothing', () => {
    const host = createProcess();
    expect(() => installHooks(host.port, undefined as never)).toThrow('telemetry must be what createTelemetry answers');
    expect(host.count()).toBe(0);
  });

  it('knows hooks of another telemetry from an application’s listener, and that one before it has run', async () => {
    const raised: string[] = [];
    const host = Object.assign(new EventEmitter(), {
      pid: 1,
      kill: (_: number, signal: string) => raised.push(signal),
    });
    host.once('SIGINT', () => {});
    for (const { telemetry } of [setUp(), setUp()]) installHooks(createProcessPort(host), telemetry);
    host.emit('SIGINT');
    await settle();
    expect(raised).toEqual([]);
    host.emit('SIGTERM');
    await settle();
    expect(raised).toEqual(['SIGTERM', 'SIGTERM']);
  });

  it('can be taken back', async () => {
    const { telemetry, sent } = setUp();
    const host = createProcess();
    const remove = installHooks(host.port, telemetry);
    remove();
    remove();
    expect(host.count()).toBe(0);
    host.send('SIGTERM');
    await settle();
    expect([sent, host.raised]).toEqual([[], []]);
  });
});
