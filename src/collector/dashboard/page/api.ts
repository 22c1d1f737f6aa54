import { asObject, asString, parseJson } from '../../../json.ts';
import { readKey } from './key.ts';

/** What the collector, or the way to it, refused. `status` is 0 where there was no answer. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Where this file came from: a collector may be mounted anywhere. */
const base = new URL('.', import.meta.url);

/** The answer's JSON. Rejects with an `ApiError`, or with an `AbortError` once `signal` says so. */
export async function getJson(path: string, signal: AbortSignal): Promise<unknown> {
  const response = await ask(path, signal, 'application/json');
  const json = parseJson(await response.text());
  if (json === undefined) throw new ApiError(response.status, 'The collector answered something that is no JSON.');
  return json;
}

/** An answer that is a success, its body still to come. */
export async function ask(path: string, signal: AbortSignal, accept: string): Promise<Response> {
  const key = readKey();
  const headers = { accept, ...(key && { 'x-api-key': key }) };
  const request = { headers, signal, cache: 'no-store', credentials: 'same-origin' } as const;
  const response = await fetch(new URL(path, base), request).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new ApiError(0, 'The collector can’t be reached.');
  });
  if (response.ok) return response;
  throw new ApiError(response.status, await readProblem(response));
}

async function readProblem(response: Response): Promise<string> {
  const body = asObject(parseJson(await response.text().catch(() => '')));
  const said = asString(asObject(body?.error)?.message);
  return said ?? `The collector answered ${response.status}.`;
}
