import type { Context } from '@opentelemetry/api';
import { asObject, asString, type Json } from '../../src/json.ts';
import type { CallEnd } from '../../src/llm/call.ts';
import { aiSdkContent } from '../../src/llm/content/ai-sdk.ts';
import { isAbort } from '../../src/llm/error-class.ts';
import {
  type Admission,
  type FrameworkCall,
  getFrameworkCall,
  startFrameworkCall,
} from '../../src/llm/framework-call.ts';
import { isComplete } from '../../src/llm/response.ts';
import { aiSdkValues } from '../../src/llm/shapes/ai-sdk.ts';
import { createItems } from '../../src/llm/value-items.ts';
import { observeStream } from '../../src/llm/value-stream.ts';
import type { Parts } from '../../src/parts.ts';
import { getInvocation } from '../../src/trace/context.ts';
import { ownCapture, type Recording, readAsked, readSaid } from './reading.ts';

/** A call of a language model that is under way. */
export interface ModelCall {
  /** What the last try threw, until it is tried again. */
  failure: { readonly thrown: unknown } | undefined;
  readonly isOpen: boolean;
  /** Whether what is done in this context is done by the call. */
  isAround(context: Context): boolean;
  /** Makes the call, and sees what comes of it; results and errors pass as they are. */
  run<T>(execute: () => PromiseLike<T>): Promise<T>;
  firstToken(afterSeconds: number): void;
  end(how: CallEnd): void;
}

export interface Asked {
  /** Who is asked: `provider` and `modelId`. */
  readonly model: Json;
  /** What is asked, and how. */
  readonly settings: Json;
  readonly recording: Recording;
  readonly isStream: boolean;
}

/** Asks the budget, where there is one; throws its refusal. */
export async function admit({ engine }: Parts, asked: Asked, context: Context): Promise<Admission | undefined> {
  const gate = engine.budget?.gate;
  if (!gate) return undefined;
  const { model, settings } = asked;
  const { request } = readAsked(model, settings, 'chat', engine.providers);
  const body = { messages: settings.messages ?? settings.prompt, system: settings.instructions };
  const pass = await gate.enter({ request, body, context });
  if ('refused' in pass) throw pass.refused;
  return { gate, pass };
}

export function startModelCall(
  { engine, view }: Parts,
  { model, settings, recording, isStream }: Asked,
  context: Context,
  admission: Admission | undefined,
  onLeft: () => void = () => {},
): ModelCall {
  const { request, semconvProvider } = readAsked(model, settings, 'chat', engine.providers);
  request.stream = isStream;
  const start = {
    request,
    semconvProvider,
    context,
    ...(recording.inputs && { said: readSaid(settings, engine.providers) }),
    capture: ownCapture(recording),
  };
  const call: FrameworkCall = startFrameworkCall(engine, start, admission);
  let isOpen = true;

  function end(how: CallEnd): void {
    isOpen = false;
    const { messages, ...response } = how.response ?? {};
    call.end({ ...how, response: { ...response, ...(recording.outputs && messages !== undefined && { messages }) } });
  }

  function watch(stream: object): void {
    request.stream = true;
    const items = createItems({
      providers: [aiSdkValues],
      onContent() {
        call.firstToken();
        call.chunk();
      },
    });
    const said = call.maxText > 0 ? aiSdkContent.stream(call.maxText) : undefined;
    let error: { thrown: unknown } | undefined;
    const open = (getInvocation(context)?.streams ?? engine.streams).open(leave);

    function finish(how: CallEnd): void {
      open.close();
      if (!isOpen) return;
      const response = items.result() ?? {};
      const messages = said && { messages: said.result() };
      end({ response: { ...response, ...messages }, incomplete: !isComplete(response), ...error, ...how });
    }

    function leave(): void {
      const wasOpen = isOpen;
      finish({ aborted: true });
      if (wasOpen) onLeft();
    }

    observeStream(stream, {
      pull: () => open.touch(),
      item(value) {
        const part = asObject(value);
        items.add(value);
        said?.event({ json: value });
        if (part?.type === 'error') error ??= { thrown: part.error };
        // Nothing of the model's comes after it.
        if (part?.type === 'finish') finish({});
      },
      end(how) {
        if (how.left) leave();
        else if (!('thrown' in how)) finish({});
        else finish(isAbort(how.thrown) ? { aborted: true } : { thrown: how.thrown });
      },
    });
  }

  function see(result: unknown): void {
    const answer = asObject(result);
    if (asObject(answer?.stream)) {
      watch(answer!);
      return;
    }
    const response = aiSdkValues.accepts?.(answer) ? aiSdkValues.read!(answer) : {};
    const messages = call.maxText > 0 ? { messages: aiSdkContent.response(answer) } : {};
    end({ response: { ...response, ...messages } });
  }

  const own: ModelCall = {
    failure: undefined,
    get isOpen() {
      return isOpen;
    },
    isAround: (inner) => getFrameworkCall(inner)?.span === call.span,
    async run(execute) {
      own.failure = undefined;
      let result: Awaited<ReturnType<typeof execute>>;
      try {
        result = await view.run(call.context, execute);
      } catch (thrown) {
        own.failure = { thrown };
        throw thrown;
      }
      try {
        see(result);
      } catch (error) {
        engine.diagnostics.report(error);
        end({});
      }
      return result;
    },
    firstToken: (afterSeconds) => call.firstToken(afterSeconds),
    end,
  };
  return own;
}

/** How a call ends that threw, or that its caller left. */
export function failed(thrown: unknown): CallEnd {
  return isAbort(thrown) ? { aborted: true } : { thrown };
}

export function idOf(event: Json | undefined): string | undefined {
  return asString(event?.callId);
}
