import { safely } from '../errors.ts';
import { asArray } from '../json.ts';
import type { ContentKeeper } from './content/silence.ts';
import type { LlmResponse, Provider } from './provider.ts';
import { semconvNameOf } from './provider-names.ts';
import type { Ending } from './run-span.ts';
import { createItems } from './value-items.ts';
import { isLazy, readValue } from './values.ts';
import type { LlmOptions } from './wrappers.ts';

export interface AnswerOptions {
  /** What the wrapper was told. */
  readonly told: LlmOptions<never>;
  /** Whom a wrapped client asks, by its address. */
  readonly client: string | undefined;
  /** Whom the function's arguments name. */
  readonly asked: string | undefined;
  readonly providers: readonly Provider[];
  readonly content: ContentKeeper;
  /** Characters of each text that are held, 0 where nobody wants them. */
  readonly maxText: number;
  readonly onContent: () => void;
  readonly report: (error: unknown) => void;
}

/** What a function that was wrapped as a model call answers, at once or in parts. */
export interface WrappedAnswer {
  /** A part of it. */
  add(value: unknown): void;
  /** One of several replies is whole. */
  reply(value: unknown): void;
  /** Whether the vendor has said that this is all. */
  readonly isWhole: boolean;
  /** What came of it, by what the wrapper was told, else by its shape. */
  read(ending: Ending): {
    readonly response: LlmResponse;
    /** The result itself, where there is one to look at. */
    readonly body: unknown;
    /** Nothing of it is a model's. */
    readonly isUnknown: boolean;
    /** The stream stopped without saying so. */
    readonly isCut: boolean;
  };
}

export function createWrappedAnswer(options: AnswerOptions): WrappedAnswer {
  const { told, client, asked, providers, content, maxText, onContent, report } = options;
  const vendor = told.provider ?? client ?? asked;
  const said = maxText > 0 ? content.ofItems(providers, maxText) : undefined;
  const items = createItems({ providers, vendor, onItem: (item) => said?.add(item), onContent });
  let inParts = false;

  /** What the wrapper's own extractor says, else the shape. */
  function readResult(value: unknown): LlmResponse | undefined {
    if (value === undefined) return items.result();
    return (
      safely(() => told.response?.(value as never), report) ?? items.result() ?? readValue(value, providers, vendor)
    );
  }

  /** What the wrapper was told wins over the address of a client, and that over what the result says. */
  function settle({ provider: answering, model: answered, ...rest }: LlmResponse): LlmResponse {
    const provider = told.provider ?? client ?? answering;
    const model = told.model ?? answered;
    const name = provider && { 'gen_ai.provider.name': semconvNameOf(provider, providers) };
    return { ...rest, ...(name && { provider, attributes: { ...name, ...rest.attributes } }), ...(model && { model }) };
  }

  return {
    add(value) {
      inParts = true;
      items.add(value);
    },
    reply(value) {
      if (!inParts) said?.add(value);
      inParts = false;
      items.reply(value);
    },
    get isWhole() {
      return items.isWhole;
    },
    read(ending) {
      const thrown = 'thrown' in ending;
      // A result whose promises begin to read a stream is left alone.
      const body = thrown || isLazy(ending.value) ? undefined : ending.value;
      const response = thrown ? items.result() : readResult(body);
      const messages = said && (said.result() ?? (thrown ? undefined : content.ofValue(body, providers)));
      return {
        response: { ...(response && settle(response)), ...(messages !== undefined && { messages }) },
        body,
        isUnknown: !response,
        isCut: !thrown && response?.error === undefined && asArray(response?.finishReasons).includes('error'),
      };
    },
  };
}
