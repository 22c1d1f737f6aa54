/**
 * Tokens as totals, whatever the vendor's habit: `input` includes `cacheRead` and `cacheWrite`, `output` includes
 * `reasoning`. Absent means unknown and is never 0. Rule: OpenTelemetry GenAI conventions, `gen_ai.usage.*`.
 */
export interface LlmUsage {
  input?: number;
  cacheRead?: number;
  cacheWrite?: number;
  /** The part of `cacheWrite` that lives for an hour and costs more. */
  cacheWrite1h?: number;
  output?: number;
  reasoning?: number;
  /** As the vendor adds it up. */
  total?: number;
  audioInput?: number;
  /** The part of `audioInput` that is in `cacheRead` too. */
  audioCacheRead?: number;
  audioOutput?: number;
  webSearches?: number;
  requests?: number;
}
