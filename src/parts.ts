import type { Engine } from './engine.ts';
import type { Flusher } from './flush.ts';
import type { SpanRunner } from './llm/spans.ts';
import type { Telemetry } from './telemetry.ts';
import type { ContextView } from './trace/context.ts';

/** What the views of one telemetry share. */
export interface Shared {
  readonly engine: Engine;
  readonly runner: SpanRunner;
  readonly flusher: Flusher;
}

export interface Parts extends Shared {
  readonly view: ContextView;
}

/** Where adapters find the parts behind a telemetry; two copies of this library in one bundle still agree. */
export const partsKey = /* @__PURE__ */ Symbol.for('edgespan.parts');

export function getParts(telemetry: Telemetry): Parts {
  return (telemetry as unknown as { [partsKey]: Parts })[partsKey];
}
