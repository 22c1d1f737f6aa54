import type { Attributes } from '@opentelemetry/api';
import { asArray, asNumber, asObject, asString, type Json } from '../../src/json.ts';
import type { CallEnd, CallStart } from '../../src/llm/call.ts';
import type { RequestContent } from '../../src/llm/content/message.ts';
import { readArgumentContent, readValueContent } from '../../src/llm/content/values.ts';
import { isAbort } from '../../src/llm/error-class.ts';
import { lastText } from '../../src/llm/expected-calls.ts';
import { readCount } from '../../src/llm/faults.ts';
import type { LlmRequest, LlmResponse, LlmUsage, Provider } from '../../src/llm/provider.ts';
import { semconvNameOf, shortProviderName } from '../../src/llm/provider-names.ts';
import { readParameters } from '../../src/llm/providers/parameters.ts';
import { present } from '../../src/llm/providers/wire.ts';
import { readValue } from '../../src/llm/values.ts';

const parameters = {
  temperature: 'temperature',
  top_p: 'top_p',
  frequency_penalty: 'frequency_penalty',
  presence_penalty: 'presence_penalty',
};

/** Models of other vendors are named after them: `anthropic.messages:claude-sonnet-4-6`. */
function readModel(data: Json): { provider: string; model: string | undefined } {
  const named = asString(data.model);
  const [, vendor, model] = /^([a-z][\w.-]*):(.+)$/i.exec(named ?? '') ?? [];
  // Fine-tuned models of OpenAI's own begin so.
  if (!vendor || vendor === 'ft') return { provider: 'openai', model: named };
  return { provider: shortProviderName(vendor), model };
}

type Asked = Pick<CallStart, 'semconvProvider' | 'request' | 'spanName'>;

/** Of a response the SDK does not say which model was asked for: its span is named after the one that answered. */
export function readAsked(data: Json, providers: readonly Provider[]): Asked {
  const { provider, model } = readModel(data);
  const answering = asString(asObject(data._response)?.model);
  const request: LlmRequest = {
    provider,
    model,
    operation: 'chat',
    stream: false,
    parameters: readParameters(asObject(data.model_config) ?? {}, parameters),
  };
  return {
    semconvProvider: semconvNameOf(provider, providers),
    request,
    ...(!model && answering && { spanName: `chat ${answering}` }),
  };
}

/** What is said in a call, as far as the SDK traces it. */
export function readSaid(data: Json, providers: readonly Provider[]): RequestContent | undefined {
  const { input, _input: given = input } = data;
  if (given === undefined) return undefined;
  const isResponse = data.type === 'response';
  const instructions = asString(asObject(data._response)?.instructions);
  const request = isResponse ? { input: given, ...(instructions && { instructions }) } : { messages: given };
  return readArgumentContent([request], providers);
}

/** What was answered, as far as the SDK traces it. */
export function readAnswered(data: Json, providers: readonly Provider[]): unknown {
  const whole = readWhole(data);
  return whole && readValueContent(whole, providers);
}

function readWhole(data: Json): Json | undefined {
  return asObject(data._response) ?? asObject(asArray(data.output)[0]);
}

/** A text that the request has in it, as far as the SDK has told what it asks. */
export function readText(data: Json): string | undefined {
  const given = data._input ?? data.input;
  return asString(given) ?? lastText(given);
}

function readUsage(value: unknown): LlmUsage | undefined {
  const usage = asObject(value);
  const details = asObject(usage?.details);
  const inputs = asObject(usage?.input_tokens_details ?? details?.input_tokens_details);
  const outputs = asObject(usage?.output_tokens_details ?? details?.output_tokens_details);
  return present<LlmUsage>({
    input: readCount(usage?.input_tokens),
    output: readCount(usage?.output_tokens),
    total: readCount(usage?.total_tokens),
    cacheRead: readCount(inputs?.cached_tokens),
    reasoning: readCount(outputs?.reasoning_tokens),
  });
}

/** The vendor's own answer, where the SDK traces data, and else what it says of it. */
function readResponse(data: Json, providers: readonly Provider[]): LlmResponse {
  const whole = readWhole(data);
  const { provider: _, ...read } = (whole && readValue(whole, providers, 'openai')) ?? {};
  const usage = read.usage ?? readUsage(whole?.usage) ?? readUsage(data.usage);
  const id = [asString(data.response_id), read.id].find((one) => one !== undefined && one !== 'FAKE_ID');
  const { id: _id, ...rest } = read;
  return { ...rest, ...(usage && { usage }), ...(id && { id }) };
}

/** What the SDK says of a failure is a text at most: `429 No.`, or `RateLimitError: 429 No.` */
export function readError(given: unknown): object | undefined {
  const error = asObject(given);
  if (!error) return undefined;
  const detail = asObject(error.data)?.error;
  const said = asString(detail) ?? asString(asObject(detail)?.message) ?? asString(error.message) ?? '';
  const [, name, status, message] = /^(\w*Error\b)?:? ?(?:(\d{3}) )?([\s\S]*)$/.exec(said) ?? [];
  return {
    name: (name !== 'Error' && name) || status || '_OTHER',
    message: message || said,
    ...(status && { status: Number(status) }),
  };
}

export function readEnd(data: Json, error: object | undefined, providers: readonly Provider[]): CallEnd {
  const response = readResponse(data, providers);
  if (!error) return { response };
  return isAbort(error) ? { response, aborted: true } : { response, thrown: error };
}

/** What a span tells of its work, without what is said. */
export function readAttributes(data: Json): Attributes {
  const [from, to, turn] = [asString(data.from_agent), asString(data.to_agent), asNumber(data.turn)];
  return {
    ...(from && { 'edgespan.handoff.from': from }),
    ...(to && { 'edgespan.handoff.to': to }),
    ...(turn !== undefined && { 'edgespan.turn': turn }),
    ...(typeof data.triggered === 'boolean' && { 'edgespan.guardrail.triggered': data.triggered }),
  };
}
