import type { Attributes } from '@opentelemetry/api';
import { asNumber, asObject } from '../../json.ts';

const times = ['queue_time', 'prompt_time', 'completion_time', 'total_time'];

/** How long a call waited and was worked on, in seconds, under the vendor's name. */
export function readTimes(vendor: string, value: unknown): Attributes {
  const known = times.map((name) => [`${vendor}.${name}`, asNumber(asObject(value)?.[name])] as const);
  return Object.fromEntries(known.filter(([, seconds]) => seconds !== undefined));
}
