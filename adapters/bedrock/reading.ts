import { asObject, parseJson } from '../../src/json.ts';
import type { CallEnd } from '../../src/llm/call.ts';
import { isAbort } from '../../src/llm/error-class.ts';
import type { LlmResponse, Reply } from '../../src/llm/provider.ts';
import { isComplete } from '../../src/llm/response.ts';
import type { Call, Exchange, HttpResponse } from './call.ts';
import { isIterable, watch } from './watch.ts';

/** Reads what the client has made of an answer: the vendor's own shape, but for a model's own body, which is bytes. */
export function readAnswer(call: Call, { response, output }: Exchange['result']): void {
  const reply = call.reply(response);
  const { stream, body } = asObject(output) ?? {};
  const events = [stream, body].find(isIterable);
  if (events) readEvents(call, reply, events);
  else end(call, reply, body instanceof Uint8Array ? readBody(call, body) : output);
}

function end(call: Call, reply: Reply, json: unknown): void {
  const answer = json === undefined ? undefined : call.ask(() => call.provider.response(json, reply));
  const { status, headers } = reply;
  const response = withSaid(call, answer, () => call.content?.response(json));
  call.end({ ...(response && { response }), body: json, status, headers });
}

/** With what was said, where that is captured. */
function withSaid<R extends LlmResponse | undefined>(
  call: Call,
  answer: R,
  read: () => readonly unknown[] | undefined,
): R {
  const messages = answer && call.ask(read);
  return messages?.length ? { ...answer, messages } : answer;
}

function readBody({ maxBodyBytes }: Call, body: Uint8Array): unknown {
  return body.length > maxBodyBytes ? undefined : parseJson(new TextDecoder().decode(body));
}

/** A service's exception, as clients throw it: https://smithy.io/2.0/spec/type-refinement-traits.html#error-trait */
function readException(error: unknown): { __type: string; message: string } | undefined {
  if (!(error instanceof Error) || !('$fault' in error)) return undefined;
  return { __type: error.name, message: error.message };
}

/**
 * A failure without status is one that the client may try again: so is an exception at the beginning of a stream, whose
 * status says that all is well.
 */
export function readFailure(call: Call, error: unknown): void {
  const reply = call.reply((error as { $response?: HttpResponse } | undefined)?.$response);
  const exception = readException(error);
  const response = exception && call.ask(() => call.provider.response(exception, reply));
  const { status, headers } = reply;
  if (response) call.end({ response, ...(status >= 400 && { status, headers }) });
  else call.end(isAbort(error, call.signal) ? { aborted: true } : { thrown: error });
}

function readEvents(call: Call, reply: Reply, events: AsyncIterable<unknown>): void {
  const { status, headers } = reply;
  const reader = call.provider.stream?.(reply);
  const said = call.content?.stream(call.model.maxText);
  const open = call.streams.open(() => finish({ aborted: true }));
  let terminated = false;
  let ended = false;

  function finish(how: CallEnd): void {
    if (ended) return;
    ended = true;
    open.close();
    const response = withSaid(call, call.ask(() => reader?.result()) ?? {}, () => said?.result());
    call.end({ response, status, headers, incomplete: !terminated && !isComplete(response), ...how });
  }

  function add(type: string | undefined, json: unknown): void {
    const event = type === undefined ? { json } : { type, json };
    const outcome = ended ? undefined : call.ask(() => reader?.event(event));
    if (!ended) call.ask(() => said?.event(event));
    if (outcome === 'content') {
      call.model.firstToken();
      call.model.chunk();
    }
    terminated ||= outcome === 'end';
    if (terminated) finish({});
  }

  watch(events, {
    pull: () => open.touch(),
    item: (value) => add(undefined, value),
    done: () => finish({}),
    left: () => finish({ aborted: true }),
    thrown(error) {
      const exception = readException(error);
      if (exception) add(exception.__type, exception);
      finish(exception ? {} : isAbort(error, call.signal) ? { aborted: true } : { thrown: error });
    },
  });
}
