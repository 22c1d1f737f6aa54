import { safely } from '../../src/errors.ts';
import { isOn } from '../../src/observed-fetch.ts';
import { getParts, type Parts } from '../../src/parts.ts';
import type { Telemetry } from '../../src/telemetry.ts';
import { admit, type Exchange, read, start } from './call.ts';
import { readAnswer, readFailure } from './reading.ts';

/** As much of a Smithy client's stack as is needed. */
export interface MiddlewareStack {
  add(middleware: never, options: never): void;
}

type Next = (args: Exchange['args']) => Promise<Exchange['result']>;
type Middleware = (next: Next, context: Exchange['context']) => Next;

/** Around the deserialiser and inside of the retries: one attempt, with what the application will get of it. */
const options = { step: 'deserialize', priority: 'high', name: 'edgespan', override: true };

/**
 * Records the calls of an AWS client for Bedrock: `Converse`, `InvokeModel`, their streams, `CountTokens`. Each attempt
 * becomes a span, as with `telemetry.fetch`; results, events and errors are the client's own, but for a refusal of the
 * budget, which is thrown before the attempt is made.
 *
 * @example
 * client.middlewareStack.use(bedrockPlugin(telemetry));
 */
export function bedrockPlugin(telemetry: Telemetry): { applyToStack(stack: MiddlewareStack): void } {
  const parts = getParts(telemetry);
  return { applyToStack: (stack) => stack.add(createMiddleware(parts) as never, options as never) };
}

function createMiddleware(parts: Parts): Middleware {
  return (next, context) => async (args) => {
    const { engine } = parts;
    if (!isOn(parts)) return next(args);
    const { report } = engine.diagnostics;
    const known = safely(() => read(parts, args), report);
    if (!known) return next(args);
    const pass = engine.budget && (await admit(parts, known));
    const call = safely(() => start(parts, known, context, pass), report);
    if (!call) {
      pass?.settle({});
      return next(args);
    }
    function note(read: () => void): void {
      safely(read, (error) => {
        report(error);
        call?.end({});
      });
    }
    let result: Exchange['result'];
    try {
      result = await call.run(() => next(args));
    } catch (error) {
      note(() => readFailure(call, error));
      throw error;
    }
    note(() => readAnswer(call, result ?? {}));
    return result;
  };
}
