import { ignore, safely } from '../errors.ts';
import type { Provider } from './provider.ts';

/** Where the SDKs keep the address of their vendor. */
const places = [
  'baseURL',
  'baseUrl',
  '_baseURL',
  'basePath',
  'apiHost',
  'config.host',
  'httpOptions.baseUrl',
  'apiClient.clientOptions.httpOptions.baseUrl',
  '_options.baseURL',
  '_options.baseUrl',
  '_options.serverURL',
  '_options.environment',
  'options.baseURL',
  'options.serverURL',
];

function findAddress(client: object, place: string): URL | undefined {
  let value: unknown = client;
  for (const name of place.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[name];
  if (value instanceof URL) return value;
  return typeof value === 'string' && /^https?:\/\//.test(value) ? new URL(value) : undefined;
}

/**
 * The vendor that a client asks, by the address that it was made with: many speak one format, and share an SDK.
 * `undefined` where it has none, where nobody owns it, or where several vendors stand behind it.
 */
export function vendorOf(client: object, providers: readonly Provider[]): string | undefined {
  for (const place of places) {
    const url = safely(() => findAddress(client, place), ignore);
    if (!url) continue;
    const owner = providers.find((provider) => safely(() => provider.owns?.(url), ignore));
    return owner?.gateway ? undefined : owner?.name;
  }
  return undefined;
}
