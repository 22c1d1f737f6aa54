/** How the calls of a budget end: answered whole, streamed, left before the usage came, or failed after all waited. */
const endings = ['whole', 'stream', 'cancelled', 'failed'] as const;

export function endingOf(call: number): (typeof endings)[number] {
  return endings[call % endings.length]!;
}

/** Tokens that a call of a budget may answer at most, and is estimated at. */
export const maxTokens = 100;
