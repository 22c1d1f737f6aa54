import type { Attributes, Context, Link, Span, SpanKind } from '@opentelemetry/api';
import { type Checks, checkValues } from '../checks.ts';
import { TelemetryError } from '../errors.ts';
import type { Capture } from './content/capture.ts';
import type { LlmResponse, Operation } from './provider.ts';
import { spanChecks } from './wrapper-checks.ts';

export type AnyFunction = (...args: never[]) => unknown;
export type ResultOf<F extends AnyFunction> = Awaited<ReturnType<F>>;
export type SpanType = 'trace' | 'agent' | 'llm' | 'tool' | 'retrieval' | 'infra';

export interface SpanOptions {
  /** The name of the agent, tool or step; of the function by default. */
  name?: string;
  /** More attributes of the span. */
  attributes?: Attributes;
  /** Whose child it is; of the active span by default. */
  parent?: Context | Span;
  /** `INTERNAL` by default, of retrievals `CLIENT`; model calls are `CLIENT` whatever is said. */
  kind?: SpanKind;
  /** None by default. */
  links?: Link[];
  /** Beats the option `capture`, for this function alone. */
  capture?: Capture;
}

export interface AgentOptions extends SpanOptions {}

export interface ToolOptions extends SpanOptions {
  /** `gen_ai.tool.description` of the span. */
  description?: string;
}

export interface RetrievalOptions<R = unknown> extends SpanOptions {
  /** How many documents a result holds; by default read off its shape. */
  count?: (result: R) => number | undefined;
}

export interface LlmOptions<R = unknown> extends SpanOptions {
  /** Short name, as `openai`; by default read off arguments and result. */
  provider?: string;
  /** The one asked for; by default read off arguments and result. */
  model?: string;
  /** `chat` by default. */
  operation?: Operation;
  /** The prompt that a registry or a file keeps under this name: `gen_ai.prompt.name` and `.version`. */
  prompt?: { name: string; version?: string };
  /** Whether its answers are judged: all of them, or none, whatever `evaluation.sampleRate` says. */
  evaluate?: boolean;
  /** Reads tokens, model and tools off the result. */
  response?: (result: R) => LlmResponse | undefined;
}

/**
 * Wraps a function, or decorates a method (standard decorators). The function keeps its type, `this`, name and
 * arguments; its results and errors pass through.
 *
 * @example
 * const search = telemetry.tool(async (query: string) => index.find(query));
 * const research = telemetry.agent({ name: 'research' }, async (question: string) => search(question));
 * class Research { @telemetry.agent({ name: 'research' }) async answer(question: string) {} }
 */
export interface SpanWrapper<O> {
  <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F;
  <F extends AnyFunction>(fn: F): F;
  <F extends AnyFunction>(options: O, fn: F): F;
  (options: O): <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext) => F;
}

export interface LlmWrapper {
  <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F;
  <F extends AnyFunction>(fn: F): F;
  <F extends AnyFunction>(options: LlmOptions<ResultOf<F>>, fn: F): F;
  (options: LlmOptions): <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext) => F;
}

export interface RetrievalWrapper {
  <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F;
  <F extends AnyFunction>(fn: F): F;
  <F extends AnyFunction>(options: RetrievalOptions<ResultOf<F>>, fn: F): F;
  (options: RetrievalOptions): <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext) => F;
}

/** What runs the calls of a function, made when it is wrapped. */
export type RunWrapped<O> = (
  options: O,
  name: string,
  fn: AnyFunction,
) => (call: () => unknown, args: readonly unknown[]) => unknown;

/**
 * The four forms of a wrapper over one way to run. What is no function, options that are wrong, and the arguments of
 * TypeScript's experimental decorators, which would silently do nothing, throw a `TelemetryError`.
 */
export function createWrapper<O extends { name?: string }>(
  word: string,
  run: RunWrapped<O>,
  checks: Checks = spanChecks,
): SpanWrapper<O> {
  function wrapFunction(options: O, fn: AnyFunction, name: string): AnyFunction {
    const runCall = run(options, name, fn);
    const wrapped = function (this: unknown, ...args: never[]): unknown {
      return runCall(() => fn.apply(this, args), args);
    };
    // What else engines have on functions of old is their own.
    const {
      arguments: _arguments,
      caller: _caller,
      ...own
    } = Object.getOwnPropertyDescriptors(fn) as PropertyDescriptorMap;
    return Object.defineProperties(wrapped, own) as AnyFunction;
  }

  function decorate(options: O, method: unknown, context: unknown, rest: number): AnyFunction {
    const kind = (context as { kind?: unknown } | undefined)?.kind;
    if (typeof method !== 'function' || kind !== 'method' || rest > 2) throw legacyDecorator(word);
    const { name } = context as ClassMethodDecoratorContext;
    return wrapFunction(options, method as AnyFunction, options.name ?? String(name));
  }

  function wrap(...args: unknown[]): unknown {
    const [first, second] = args;
    const isMember = typeof second === 'string' || typeof second === 'symbol';
    const isField = typeof first !== 'function' && typeof second === 'object' && second !== null && 'kind' in second;
    if (isMember || isField) throw legacyDecorator(word);
    if (typeof first === 'function') {
      if (second !== undefined) return decorate({} as O, first, second, args.length);
      return wrapFunction({} as O, first as AnyFunction, first.name || word);
    }
    if (typeof first !== 'object' || first === null) throw notAFunction(word, first);
    checkValues(first, checks, `${word}.`);
    const options = first as O;
    if (args.length < 2)
      return (...decorated: unknown[]) => decorate(options, decorated[0], decorated[1], decorated.length);
    if (typeof second !== 'function') throw notAFunction(word, second);
    return wrapFunction(options, second as AnyFunction, options.name ?? (second.name || word));
  }

  return wrap as SpanWrapper<O>;
}

function notAFunction(word: string, value: unknown): TelemetryError {
  return new TelemetryError('invalid_wrapper', `telemetry.${word} wraps a function, not ${typeof value}`);
}

function legacyDecorator(word: string): TelemetryError {
  return new TelemetryError(
    'invalid_decorator',
    `@telemetry.${word} is a standard decorator of methods; with experimentalDecorators write ` +
      `method = telemetry.${word}({ name: 'method' }, async () => { … }) instead`,
  );
}
