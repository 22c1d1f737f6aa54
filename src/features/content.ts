import type { Environment } from '../environment.ts';
import { createContentCapture } from '../llm/content/capture.ts';
import { followSaid } from '../llm/content/said.ts';
import type { ContentKeeper } from '../llm/content/silence.ts';
import { followSpan } from '../llm/content/span-content.ts';
import { createItemContent, readArgumentContent, readValueContent } from '../llm/content/values.ts';
import type { TelemetryOptions } from '../options.ts';
import type { Redactor } from '../redact/redactor.ts';
import type { ResolvedLimits } from '../settings.ts';
import type { Feature } from './feature.ts';

interface ContentAssembly {
  readonly options: TelemetryOptions;
  readonly environment: Environment;
  readonly limits: ResolvedLimits;
  readonly redactor: Redactor | undefined;
}

/** What is kept of contents; redaction sees them before they are cut. */
function assemble({ options, environment, limits, redactor }: ContentAssembly): ContentKeeper {
  const redact = redactor && ((value: unknown, key: string) => redactor.value(value, { signal: 'span', key }));
  const { valueLength } = limits;
  const capture = createContentCapture({
    capture: options.capture,
    environment,
    valueLength,
    redact,
  });
  return {
    ...capture,
    followCall: (span, call) => followSaid(capture, span, call),
    followSpan: (span, type, args, own) => followSpan(capture, span, type, args, own),
    ofArguments: readArgumentContent,
    ofValue: readValueContent,
    ofItems: createItemContent,
  };
}

export const contentPart = { assemble };

/** What goes into calls and comes out of them: the option `capture`, and a session's `preview`. */
export const content: Feature = { content: contentPart };
