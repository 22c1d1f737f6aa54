import type { Engine } from './engine.ts';
import { TelemetryError } from './errors.ts';
import type { Flusher } from './flush.ts';
import type { ModelCallRunner } from './llm/model-call.ts';
import type { SpanRunner } from './llm/spans.ts';
import type { Telemetry } from './telemetry.ts';
import type { ContextView } from './trace/context.ts';

/** What the views of one telemetry share. Read at each call: one that waits for its `env` gets other parts with it. */
export interface Shared {
  readonly engine: Engine;
  readonly runner: SpanRunner;
  /** Of the part `wrapping`. */
  readonly runModelCall: ModelCallRunner | undefined;
  readonly flusher: Flusher;
  /** Hands over the environment that the options wait for; only the first counts. */
  readonly bind?: ((env: unknown) => void) | undefined;
}

export interface Parts extends Shared {
  readonly view: ContextView;
}

/** Parts that are always those of now. */
export function createParts(shared: Shared, view: ContextView): Parts {
  return {
    get engine() {
      return shared.engine;
    },
    get runner() {
      return shared.runner;
    },
    get runModelCall() {
      return shared.runModelCall;
    },
    get flusher() {
      return shared.flusher;
    },
    get bind() {
      return shared.bind;
    },
    view,
  };
}

/** Where adapters find the parts behind a telemetry; two copies of this library in one bundle still agree. */
const partsKey = 'edgespan.parts';

/** Throws a `TelemetryError` for anything but a telemetry, as what was left out where it is needed. */
export function getParts(telemetry: Telemetry): Parts {
  const parts = (telemetry as unknown as { [partsKey]?: Parts } | undefined)?.[partsKey];
  if (parts) return parts;
  throw new TelemetryError('invalid_option', 'telemetry must be what createTelemetry answers', { option: 'telemetry' });
}
