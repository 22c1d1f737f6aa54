import type { Span } from '@opentelemetry/api';
import { ignore } from '../../errors.ts';
import type { Provider } from '../provider.ts';
import type { Capture, CaptureLimits, ContentCapture } from './capture.ts';
import type { RequestContent } from './message.ts';
import type { Said, SpokenCall } from './said.ts';
import type { SpanContent } from './span-content.ts';
import type { ItemContent } from './values.ts';

/** Who reads what is said, and writes down as much of it as is wanted. */
export interface ContentKeeper extends ContentCapture {
  followCall(span: Span, call: SpokenCall): Said;
  followSpan(span: Span, type: string, args: readonly unknown[], own: Capture | undefined): SpanContent;
  /** What goes into a function that asks a model, what comes out of it, and what its stream yields. */
  ofArguments(args: readonly unknown[], providers: readonly Provider[]): RequestContent | undefined;
  ofValue(value: unknown, providers: readonly Provider[]): unknown;
  ofItems(providers: readonly Provider[], maxText: number): ItemContent;
}

export const noLimits: CaptureLimits = { inputs: 0, outputs: 0 };
/** Of all calls that nobody listens to. */
export const silentCall: Said = { held: 0, preview: undefined, end: ignore, exchange: () => undefined };
export const silentSpan: SpanContent = { end: ignore };

const nothing = () => ({});
const unknown = () => undefined;

/** Where nobody may want to know. */
export const silence: ContentKeeper = {
  limits: () => noLimits,
  request: nothing,
  response: nothing,
  json: nothing,
  value: nothing,
  held: () => 0,
  text: () => '',
  followCall: () => silentCall,
  followSpan: () => silentSpan,
  ofArguments: unknown,
  ofValue: unknown,
  ofItems: () => ({ add: ignore, result: unknown }),
};
