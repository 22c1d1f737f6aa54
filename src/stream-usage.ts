import { askUsage, hideUsage, isEventStream } from './llm/include-usage.ts';

/** Streams are asked for the usage that they would not tell: the option `includeUsage`. */
export const streamUsage = { streamUsage: { ask: askUsage, hide: hideUsage, canHide: isEventStream } };
