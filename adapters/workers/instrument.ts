import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
import type { Attributes } from '@opentelemetry/api';
import { serveRequest } from '../../src/http/server-span.ts';
import { getParts, type Parts } from '../../src/parts.ts';
import { runTask } from '../../src/server/task.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { getInvocation } from '../../src/trace/context.ts';
import { spanKind } from '../../src/trace/otel-span.ts';
import { trackWaitUntil, type WaitUntilContext } from './wait-until.ts';

type AnyMethod = (this: object, ...args: unknown[]) => unknown;
/** `waitUntil` of an instance's real context. */
type KeepAlive = WeakMap<object, (promise: Promise<unknown>) => void>;
type ObjectClass = new (ctx: DurableObjectState, env: never) => object;
type EntrypointClass = new (ctx: ExecutionContext, env: never) => object;
type Handlers = { fetch?: unknown; scheduled?: unknown; queue?: unknown; email?: unknown };

/**
 * Traces what a Worker exports and flushes through `waitUntil` at the end of each invocation; queue and cron handlers
 * wait for the flush. The type comes back unchanged, `this` is kept.
 *
 * @example
 * export default instrument({ async fetch(request, env, ctx) { return new Response('ok') } }, telemetry);
 * export class Room extends instrument(RoomBase, telemetry) {}
 */
export function instrument<C extends ObjectClass | EntrypointClass>(entry: C, telemetry: Telemetry): C;
export function instrument<H extends Handlers>(entry: H, telemetry: Telemetry): H;
export function instrument(entry: object, telemetry: Telemetry): unknown {
  const parts = getParts(telemetry);
  return typeof entry === 'function' ? instrumentClass(entry as ObjectClass, parts) : instrumentHandlers(entry, parts);
}

/** What the platform calls; anything else of the object (a framework's app has methods of its own) stays as it is. */
const handlerNames: ReadonlySet<unknown> = new Set(['fetch', 'scheduled', 'queue', 'email']);

function instrumentHandlers(entry: object, parts: Parts): object {
  // Of what is frozen a proxy may not answer anything else.
  const shape = Object.isFrozen(entry) ? Object.assign(Object.create(Object.getPrototypeOf(entry)), entry) : entry;
  return new Proxy<object>(shape, {
    get(_shape, key) {
      const handler: unknown = Reflect.get(entry, key, entry);
      if (typeof handler !== 'function') return handler;
      if (!handlerNames.has(key)) return handler.bind(entry);
      return (event: unknown, env: unknown, ctx?: WaitUntilContext) => {
        parts.bind?.(env);
        const tracked = trackWaitUntil(ctx, parts);
        const call = () => handler.call(entry, event, env, tracked.ctx);
        return runHandler(key as string, parts, event, tracked.waitUntil, call);
      };
    },
  });
}

/** The handler's work inside its span. */
function runHandler(
  name: string,
  parts: Parts,
  event: unknown,
  waitUntil: ((promise: Promise<unknown>) => void) | undefined,
  call: () => unknown,
): unknown {
  switch (name) {
    case 'fetch':
      return serveRequest(parts, { request: event as Request, waitUntil, handle: call as () => Promise<Response> });
    case 'scheduled': {
      const { cron } = event as ScheduledController;
      const attributes: Attributes = { 'faas.trigger': 'timer', 'faas.cron': cron };
      return runTask(parts, { name: 'scheduled', attributes, waitUntil, awaitFlush: true, call });
    }
    case 'queue': {
      const { queue, messages } = event as MessageBatch;
      const attributes: Attributes = {
        'messaging.system': 'cloudflare_queues',
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.destination.name': queue,
        'messaging.batch.message_count': messages.length,
      };
      const kind = spanKind.consumer;
      return runTask(parts, { name: `process ${queue}`, kind, attributes, waitUntil, awaitFlush: true, call });
    }
    default:
      return runTask(parts, { name, kind: spanKind.consumer, waitUntil, awaitFlush: false, call });
  }
}

function instrumentClass(Base: ObjectClass, parts: Parts): ObjectClass {
  const keepAlive: KeepAlive = new WeakMap();
  const Instrumented = class extends Base {
    constructor(given: DurableObjectState, env: never) {
      super(given, env);
      parts.bind?.(env);
      const own = this as { ctx?: WaitUntilContext };
      const { ctx, waitUntil } = trackWaitUntil(own.ctx, parts);
      if (!ctx) return;
      own.ctx = ctx;
      keepAlive.set(this, waitUntil);
    }
  };
  const wrapped = new Set<PropertyKey>(['constructor']);
  for (let proto = Base.prototype; isOwnCode(proto); proto = Object.getPrototypeOf(proto)) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      if (wrapped.has(key) || typeof value !== 'function') continue;
      wrapped.add(key);
      const method = instrumentMethod(key, value as AnyMethod, keepAlive, parts);
      Object.defineProperty(Instrumented.prototype, key, { value: method, writable: true, configurable: true });
    }
  }
  Object.defineProperty(Instrumented, 'name', { value: Base.name });
  return Instrumented;
}

/** The platform's base classes are not wrapped, nor what lies beneath them. */
function isOwnCode(proto: object): boolean {
  return proto !== DurableObject.prototype && proto !== WorkerEntrypoint.prototype && proto !== Object.prototype;
}

/** `fetch` and `alarm` get a span; an RPC method runs as an invocation whose spans are flushed when it is done. */
function instrumentMethod(name: string, method: AnyMethod, keepAlive: KeepAlive, parts: Parts): AnyMethod {
  return function (this: object, ...args) {
    const call = () => method.apply(this, args);
    const waitUntil = keepAlive.get(this);
    // Called from within, it is a part of the invocation that is under way.
    if (!waitUntil || getInvocation(parts.view.active())) return call();
    if (name === 'fetch') {
      return serveRequest(parts, { request: args[0] as Request, waitUntil, handle: call as () => Promise<Response> });
    }
    return runTask(parts, { name: name === 'alarm' ? 'alarm' : undefined, waitUntil, awaitFlush: false, call });
  };
}
