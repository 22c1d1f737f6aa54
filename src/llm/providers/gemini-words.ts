import { asNumber, asString } from '../../json.ts';
import { fault } from '../faults.ts';

/** The same numbers in both APIs; those that follow, below, differ. */
const firstReasons = ['STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'OTHER'];
/** https://ai.google.dev/api/generate-content#FinishReason */
const geminiReasons = [
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
  'IMAGE_SAFETY',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_OTHER',
  'NO_IMAGE',
  'IMAGE_RECITATION',
];
/** https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rpc/google.cloud.aiplatform.v1#finishreason */
const cloudReasons = [
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
  'MODEL_ARMOR',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_OTHER',
  'UNEXPECTED_TOOL_CALL',
  'NO_IMAGE',
];
const blockReasons = ['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT'];
const trafficTypes = ['ON_DEMAND', 'PROVISIONED_THROUGHPUT', 'ON_DEMAND_PRIORITY', 'ON_DEMAND_FLEX'];
const modalities = ['TEXT', 'IMAGE', 'VIDEO', 'AUDIO', 'DOCUMENT'];

/**
 * A word of the schema, which stands as its number where a client asks for `enum-encoding=int`, as Google's own for
 * Python do. 0 says nothing; a number without a word here stands for itself.
 */
function readWord(value: unknown, words: readonly string[]): string | undefined {
  const number = asNumber(value);
  if (number === undefined || !Number.isSafeInteger(number) || number < 1) return asString(value);
  return words[number - 1] ?? String(number);
}

/** Why a candidate ended. */
export function readFinishReason(value: unknown, cloud: boolean): string | undefined {
  const reason = readWord(value, [...firstReasons, ...(cloud ? cloudReasons : geminiReasons)]);
  const isAbsent = value === undefined || value === null || value === '' || value === 0;
  if (reason === undefined && !isAbsent) fault();
  return reason;
}

/** Why a prompt was not answered. */
export function readBlockReason(value: unknown): string | undefined {
  return readWord(value, blockReasons);
}

/** How a call was served, which tells its price. */
export function readTier(value: unknown): string | undefined {
  return readWord(value, trafficTypes);
}

/** What kind of tokens a count is of. */
export function readModality(value: unknown): string | undefined {
  return readWord(value, modalities)?.toUpperCase();
}
