import type { Attributes } from '@opentelemetry/api';
import { TelemetryError } from '../errors.ts';
import type { ContextView } from '../trace/context.ts';
import type { Capture } from './content/capture.ts';
import { kindOf } from './gated.ts';
import { housekeeping, operationOf, quiet, resetting } from './method-names.ts';
import type { ModelCallRunner, WrappedCall } from './model-call.ts';
import type { LlmResponse } from './provider.ts';
import type { SpanRunner } from './spans.ts';
import type { AnyFunction, SpanType } from './wrappers.ts';

export interface WrapOptions<T> {
  /** Stands before the method in the name of a span; the class by default. */
  name?: string;
  /** `infra` by default. `llm` reads tokens and cost off the results, by their shape. */
  type?: SpanType;
  /** Only these methods; by default all that do something. */
  include?: readonly (keyof T & string)[];
  /** Not these, whatever `include` says. */
  exclude?: readonly (keyof T & string)[];
  /** Beats the option `capture`, for this object alone. */
  capture?: Capture;
  /** Of `llm`: wins over the vendor that the client's own address names, which wins over what the results say. */
  provider?: string;
  /** Of `llm`: the one asked for; by default read off arguments and results. */
  model?: string;
  /** Of `llm`: reads what no built-in shape fits. */
  response?: (result: unknown, method: string) => LlmResponse | undefined;
}

export interface WrapPorts {
  /** Whether there is anything to record now. */
  readonly isOn: () => boolean;
  readonly run: SpanRunner['run'];
  readonly runModelCall: ModelCallRunner;
  readonly view: ContextView;
  /** The vendor that a client asks. */
  readonly vendorOf: (client: object) => string | undefined;
  /** Whose wrappers these are: an object may be wrapped by several telemetries. */
  readonly owner: object;
}

/** Wrapped objects and their proxies by telemetry, so that wrapping twice gives the same one. */
const proxies = new WeakMap<object, WeakMap<object, object>>();

function proxiesOf(owner: object): WeakMap<object, object> {
  const known = proxies.get(owner) ?? new WeakMap<object, object>();
  proxies.set(owner, known);
  return known;
}

/**
 * The object, its methods in spans named `<name>.<method>`. `instanceof`, `#private` fields, getters and `this` stay what
 * they are: methods run on the object itself. Of type `llm` the parts of a client are wrapped too, as `chat.completions`.
 */
export function wrapObject<T extends object>(target: T, options: WrapOptions<T>, ports: WrapPorts): T {
  const { type = 'infra' } = options;
  if (typeof target !== 'object' || target === null) {
    throw new TelemetryError('invalid_wrapper', 'wrap: target must be an object', { option: 'wrap.target' });
  }
  const name = options.name ?? className(target);
  return new Wrapping(target, { ...options, type } as ResolvedOptions, name, ports).wrap(target, '') as T;
}

type ResolvedOptions = WrapOptions<Record<string, unknown>> & { type: SpanType };

function className(target: object): string {
  const { constructor: made } = target as { constructor?: { name?: unknown } };
  return typeof made?.name === 'string' && made.name !== '' && made.name !== 'Object' ? made.name : 'object';
}

/** One call of `wrap`: the object and its parts. */
class Wrapping {
  readonly #options: ResolvedOptions;
  readonly #name: string;
  readonly #ports: WrapPorts;
  readonly #root: object;
  #vendor: { readonly name: string | undefined } | undefined;

  constructor(root: object, options: ResolvedOptions, name: string, ports: WrapPorts) {
    this.#root = root;
    this.#options = options;
    this.#name = name;
    this.#ports = ports;
  }

  /** `path` leads from the object that was given to this part of it. */
  wrap(target: object, path: string): object {
    const wrapped = proxiesOf(this.#ports.owner);
    const known = wrapped.get(target);
    if (known) return known;
    const methods = new Map<PropertyKey, { readonly fn: unknown; readonly wrapped: AnyFunction }>();
    const proxy = new Proxy(target, {
      get: (_, key) => {
        // On the object itself: its getters and private fields know no proxy.
        const value: unknown = Reflect.get(target, key, target);
        if (isFixed(target, key) || key === 'constructor' || isClass(value)) return value;
        if (typeof value !== 'function')
          return this.#isPart(value) ? this.wrap(value, `${path}${String(key)}.`) : value;
        let method = methods.get(key);
        if (method?.fn !== value) {
          method = { fn: value, wrapped: this.#wrapMethod(target, () => proxy, value as AnyFunction, path, key) };
          methods.set(key, method);
        }
        return method.wrapped;
      },
      set: (_, key, value) => Reflect.set(target, key, value, target),
    });
    wrapped.set(target, proxy);
    wrapped.set(proxy, proxy);
    return proxy;
  }

  /** A client of an SDK has its methods in parts. */
  #isPart(value: unknown): value is object {
    if (this.#options.type !== 'llm' || typeof value !== 'object' || value === null) return false;
    const made: unknown = Object.getPrototypeOf(value)?.constructor;
    return isClass(made) && !isPlatform(made as AnyFunction);
  }

  #isTraced(fn: unknown, path: string, key: PropertyKey): key is string {
    // What the language itself asks for, as an iterator.
    if (typeof key !== 'string') return false;
    const { include, exclude } = this.#options;
    const names = [key, `${path}${key}`, path.split('.')[0]!];
    if (exclude && names.some((name) => exclude.includes(name))) return false;
    if (include) return names.some((name) => include.includes(name));
    if (this.#options.type === 'llm' && resetting.test(key)) return false;
    return !quiet.test(key) && fn !== (Object.prototype as unknown as Record<string, unknown>)[key];
  }

  #wrapMethod(target: object, proxy: () => object, fn: AnyFunction, path: string, key: PropertyKey): AnyFunction {
    const run = this.#isTraced(fn, path, key) ? this.#runner(`${path}${key}`, fn) : (call: () => unknown) => call();
    const resets = resetting.test(String(key)) && target === this.#root;
    const wrapped = function (this: unknown, ...args: never[]): unknown {
      const self = this === proxy() ? target : this;
      const result = run(() => fn.apply(self, args), args);
      // What answers itself goes on in spans.
      return result === target ? proxy() : again(result);
    };
    const again = (result: unknown) => (resets ? this.#rewrap(result) : result);
    return new Proxy(fn, { apply: (_, self, args) => wrapped.apply(self, args as never[]) });
  }

  /** A client of the same class is wrapped as the first one was. */
  #rewrap(result: unknown): unknown {
    if (typeof result !== 'object' || result === null || result.constructor !== this.#root.constructor) return result;
    return new Wrapping(result, this.#options, this.#name, this.#ports).wrap(result, '');
  }

  #runner(method: string, fn: AnyFunction): (call: () => unknown, args: readonly unknown[]) => unknown {
    const { isOn, run, runModelCall, view } = this.#ports;
    const { type, provider, model, capture, response } = this.#options;
    const name = `${this.#name}.${method}`;
    const shown = (args: readonly unknown[]) => ({ attributes: describe(method, args), ...(capture && { capture }) });
    if (type === 'llm' && !housekeeping.test(method.slice(method.lastIndexOf('.') + 1))) {
      this.#vendor ??= { name: this.#ports.vendorOf(this.#root) };
      const options: Omit<WrappedCall, 'args'> = {
        vendor: this.#vendor.name,
        mayBeOther: true,
        functionKind: kindOf(fn),
        ...(provider && { provider }),
        ...(model && { model }),
        ...operationOf(method),
        ...(response && { response: (result: never) => response(result, method) }),
      };
      return (call, args) =>
        isOn() ? runModelCall(view, { ...options, ...shown(args), args, spanName: name }, call) : call();
    }
    const other = type === 'llm' ? 'infra' : type;
    return (call, args) =>
      isOn() ? run(view, { type: other, name, options: shown(args), spanName: name, args }, call) : call();
  }
}

function describe(method: string, args: readonly unknown[]): Attributes {
  return { 'wrap.method': method, 'wrap.args_count': args.length };
}

/** A proxy must answer what such a property holds. */
function isFixed(target: object, key: PropertyKey): boolean {
  const own = Reflect.getOwnPropertyDescriptor(target, key);
  return own !== undefined && !own.configurable && ('value' in own ? !own.writable : !own.get);
}

/** The platform knows its own objects, as an `AbortSignal`, and takes no proxy for them. */
function isPlatform(made: AnyFunction): boolean {
  return (globalThis as unknown as Record<string, unknown>)[made.name] === made;
}

/** What `new` makes is no call of the object. */
function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}
