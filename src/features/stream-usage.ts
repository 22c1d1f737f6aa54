import { askUsage, hideUsage, isEventStream } from '../llm/include-usage.ts';
import type { Feature } from './feature.ts';

export const streamUsagePart = { ask: askUsage, hide: hideUsage, canHide: isEventStream };

/** Streams are asked for the usage that they would not tell: the option `includeUsage`. */
export const streamUsage: Feature = { streamUsage: streamUsagePart };
