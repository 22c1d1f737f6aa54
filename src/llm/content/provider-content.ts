import type { StreamEvent } from '../provider.ts';
import type { ContentFormat, ProviderContent } from './message.ts';

/** A format of a vendor's, as far as this has to do with it. */
interface SpokenFormat {
  readonly content?: ContentFormat;
  accepts?(value: unknown): boolean;
  toEvent?(item: unknown): StreamEvent;
}

/** How what is said in a vendor's formats is read. `toWire` makes what an SDK takes and gives what it is on the wire. */
export function createProviderContent<F extends SpokenFormat>(
  formats: readonly F[],
  byUrl: (url: URL) => F | undefined,
  toWire: (value: unknown) => unknown,
): ProviderContent | undefined {
  const spoken = formats.filter((format) => format.content);
  if (spoken.length === 0) return undefined;
  const values = new Map(spoken.map((format) => [format, ofValues(format, toWire)]));
  return {
    at: (url) => (byUrl(url) ?? spoken[0])?.content,
    of(value) {
      const json = toWire(value);
      const format = spoken.find((one) => one.accepts?.(json));
      return format && values.get(format);
    },
    all: [...values.values()],
  };
}

function ofValues({ content, toEvent }: SpokenFormat, toWire: (value: unknown) => unknown): ContentFormat {
  return {
    request: (body) => content!.request(toWire(body)),
    response: (value) => content!.response(toWire(value)),
    stream(maxText) {
      const reader = content!.stream(maxText);
      return {
        event({ json }) {
          const item = toWire(json);
          reader.event(toEvent ? toEvent(item) : { json: item });
        },
        result: () => reader.result(),
      };
    },
  };
}
