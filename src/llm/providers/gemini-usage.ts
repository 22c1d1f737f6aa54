import { asArray, asObject, asString, type Json } from '../../json.ts';
import { readCount, sumCounts } from '../faults.ts';
import type { LlmResponse, LlmUsage } from '../provider.ts';
import { readModality } from './gemini-words.ts';
import { parseError, present } from './wire.ts';

/** What was said so far, replaced by what is said now, field by field: counts are running totals. */
export function overlay(counts: Json | undefined, next: unknown): Json | undefined {
  const fields = Object.entries(asObject(next) ?? {}).filter(([, field]) => field !== null && field !== undefined);
  return fields.length > 0 ? { ...counts, ...Object.fromEntries(fields) } : counts;
}

/** The tokens that are audio, of a list that has a count for each modality. */
export function countAudio(details: unknown, field: 'tokenCount' | 'tokens'): number | undefined {
  const audio = asArray(details)
    .map(asObject)
    .filter((detail) => readModality(detail?.modality) === 'AUDIO');
  return sumCounts(audio.map((detail) => detail?.[field]));
}

/**
 * `usageMetadata`. Thoughts stand beside the candidates, and what tools of Google's gave to the model beside the prompt;
 * what is cached is a part of the prompt. https://ai.google.dev/api/generate-content#UsageMetadata
 */
export function parseMetadata(metadata: Json): LlmUsage | undefined {
  const prompt = readCount(metadata.promptTokenCount);
  const audioPrompt = countAudio(metadata.promptTokensDetails, 'tokenCount');
  return present<LlmUsage>({
    input: prompt === undefined ? undefined : sumCounts([prompt, metadata.toolUsePromptTokenCount]),
    cacheRead: readCount(metadata.cachedContentTokenCount),
    output: sumCounts([metadata.candidatesTokenCount, metadata.thoughtsTokenCount]),
    reasoning: readCount(metadata.thoughtsTokenCount),
    total: readCount(metadata.totalTokenCount),
    audioCacheRead: countAudio(metadata.cacheTokensDetails, 'tokenCount'),
    audioInput: sumCounts([audioPrompt, countAudio(metadata.toolUsePromptTokensDetails, 'tokenCount')]),
    audioOutput: countAudio(metadata.candidatesTokensDetails, 'tokenCount'),
  });
}

/**
 * Searches as Google bills them: with Gemini 3 each query that differs from the others and is not empty, with older
 * models the prompt, however many queries it led to. https://ai.google.dev/gemini-api/docs/google-search#pricing
 */
export function countSearches(queries: ReadonlySet<string>, model: string | undefined): number | undefined {
  if (queries.size === 0) return undefined;
  return /(?:^|\/)gemini-[12](?!\d)/.test(model ?? '') ? 1 : queries.size;
}

/** `{ error: { code, message, status } }`, or a list of it, as streams that are no server-sent events send it. */
export function parseGoogleError(json: unknown): LlmResponse['error'] {
  const body = asObject(Array.isArray(json) ? json[0] : json);
  const error = parseError(body);
  const status = asString(asObject(body?.error)?.status);
  return error && status ? { ...error, type: status } : error;
}
