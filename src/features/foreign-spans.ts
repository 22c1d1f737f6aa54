import type { Context } from '@opentelemetry/api';
import type { Engine } from '../engine.ts';
import { safely } from '../errors.ts';
import { isOurs, type KnownOfSpan, recordSpan } from '../llm/record-span.ts';
import type { ReadableSpan } from '../trace/readable-span.ts';
import type { Feature } from './feature.ts';

function record(engine: Engine, span: ReadableSpan, context: Context, known: KnownOfSpan): void {
  const scopeName = engine.options.scope?.name ?? 'edgespan';
  const ports = { ...engine, isOurs: (one: ReadableSpan) => isOurs(one, scopeName) };
  safely(
    () => recordSpan(ports, span, context, known),
    (error) => {
      engine.instruments.parseError('unknown');
      engine.diagnostics.report(error);
    },
  );
}

export const foreignSpanPart = { record };

/** Spans of other tracers count as calls: `recordSpan`, and with it `createSpanProcessor`. */
export const foreignSpans: Feature = { foreignSpans: foreignSpanPart };
