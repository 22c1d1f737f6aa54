import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
import type { Attributes } from '@opentelemetry/api';
import { serveRequest } from '../../src/http/server-span.ts';
import { getParts, type Parts } from '../../src/parts.ts';
import { runTask, type Task } from '../../src/server/task.ts';
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
/** What it calls on a Durable Object. */
const objectNames: ReadonlySet<unknown> = new Set([
  'fetch',
  'alarm',
  'webSocketMessage',
  'webSocketClose',
  'webSocketError',
]);

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
        return runEvent(parts, key as string, event, tracked.waitUntil, call);
      };
    },
  });
}

/** The work of an event inside its span; what is no event, as an RPC method, is an invocation without one. */
function runEvent(
  parts: Parts,
  event: string | undefined,
  given: unknown,
  waitUntil: ((promise: Promise<unknown>) => void) | undefined,
  call: () => unknown,
): unknown {
  if (event === 'fetch') {
    return serveRequest(parts, { request: given as Request, waitUntil, handle: call as () => Promise<Response> });
  }
  return runTask(parts, { waitUntil, call, ...describeEvent(event, given) });
}

/** By its shape, too: of an entrypoint anybody can call a method of that name over RPC. */
function describeEvent(
  event: string | undefined,
  given: unknown,
): Pick<Task, 'name' | 'kind' | 'attributes' | 'awaitFlush'> {
  const { consumer } = spanKind;
  if (event === 'scheduled') {
    const { cron } = Object(given) as Partial<ScheduledController>;
    const attributes: Attributes = { 'faas.trigger': 'timer', 'faas.cron': cron };
    if (typeof cron === 'string') return { name: event, attributes, awaitFlush: true };
  }
  if (event === 'queue') {
    const { queue, messages } = Object(given) as Partial<MessageBatch>;
    const attributes: Attributes = {
      'messaging.system': 'cloudflare_queues',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': queue,
      'messaging.batch.message_count': messages?.length,
    };
    if (typeof queue === 'string' && messages) {
      return { name: `process ${queue}`, kind: consumer, attributes, awaitFlush: true };
    }
  }
  if (event === 'email') {
    const { from, to } = Object(given) as Partial<ForwardableEmailMessage>;
    if (typeof from === 'string' && typeof to === 'string') return { name: event, kind: consumer, awaitFlush: false };
  }
  return { name: event === 'alarm' ? event : undefined, awaitFlush: false };
}

function instrumentClass(Base: ObjectClass, parts: Parts): ObjectClass {
  const keepAlive: KeepAlive = new WeakMap();
  const events = Base.prototype instanceof WorkerEntrypoint ? handlerNames : objectNames;
  const instrumentNamed = (name: string, method: AnyMethod) =>
    instrumentMethod(events.has(name) ? name : undefined, method, keepAlive, parts);
  const Instrumented = class extends Base {
    constructor(given: DurableObjectState, env: never) {
      super(given, env);
      parts.bind?.(env);
      const own = this as { ctx?: WaitUntilContext };
      const { ctx, waitUntil } = trackWaitUntil(given, parts);
      if (!ctx) return;
      // A Durable Object need not extend the platform's class.
      if (own.ctx === given) own.ctx = ctx;
      keepAlive.set(this, waitUntil);
      for (const [name, field] of Object.entries(this)) {
        if (events.has(name) && typeof field === 'function')
          Object.assign(this, { [name]: instrumentNamed(name, field) });
      }
    }
  };
  const wrapped = new Set<PropertyKey>(['constructor']);
  for (let proto = Base.prototype; isOwnCode(proto); proto = Object.getPrototypeOf(proto)) {
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      if (wrapped.has(key) || typeof value !== 'function') continue;
      wrapped.add(key);
      const method = instrumentNamed(key, value as AnyMethod);
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

function instrumentMethod(event: string | undefined, method: AnyMethod, keepAlive: KeepAlive, parts: Parts): AnyMethod {
  return function (this: object, ...args) {
    const call = () => method.apply(this, args);
    const waitUntil = keepAlive.get(this);
    // Called from within, it is a part of the invocation that is under way.
    if (!waitUntil || getInvocation(parts.view.active())) return call();
    return runEvent(parts, event, args[0], waitUntil, call);
  };
}
