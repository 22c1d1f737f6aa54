import { sha256, toHex } from '../digest.ts';
import { Refusal } from './refusal.ts';
import { isTenant } from './settings.ts';

export interface AccessOptions {
  readonly keys?: Readonly<Record<string, string>> | undefined;
  readonly adminKey?: string | undefined;
  readonly trustTenantHeader?: boolean | undefined;
}

export const defaultTenant = 'default';

/** Who asks. */
export interface Caller {
  readonly tenant: string;
  readonly isAdmin: boolean;
}

/** Who may do what, by `X-API-Key` or `Authorization: Bearer`. */
export interface Access {
  /** The tenant of a request. Throws a `Refusal` (401) without a key that is known. */
  identify(request: Request): Promise<Caller>;
  /** Throws a `Refusal` unless the request has the admin key. */
  requireAdmin(request: Request): Promise<void>;
  /** Whether there are keys at all. */
  readonly isOpen: boolean;
}

/** A longer one is none. */
const maxKeyLength = 512;

/**
 * Keys are looked up by their digests: how long that takes says nothing about how much of a guess was right. Digests are
 * made with the first request, since a Worker may not reckon any before.
 */
export function createAccess({ keys, adminKey, trustTenantHeader = false }: AccessOptions): Access {
  const given = Object.entries(keys ?? {});
  let digests: { readonly tenants: ReadonlyMap<string, string>; readonly admin: string | undefined } | undefined;

  async function readDigests() {
    const tenants = new Map<string, string>();
    for (const [key, tenant] of given) tenants.set(await digest(key), tenant);
    digests ??= { tenants, admin: adminKey === undefined ? undefined : await digest(adminKey) };
    return digests;
  }

  async function readKey(request: Request): Promise<string | undefined> {
    const bearer = /^bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1];
    const key = request.headers.get('x-api-key') || bearer;
    return key && key.length <= maxKeyLength ? digest(key) : undefined;
  }

  return {
    isOpen: given.length === 0,
    async identify(request) {
      const named = request.headers.get('x-tenant-id') ?? undefined;
      if (given.length === 0 && adminKey === undefined) {
        return { tenant: trustTenantHeader ? readTenant(named) : defaultTenant, isAdmin: false };
      }
      const { tenants, admin } = digests ?? (await readDigests());
      const key = await readKey(request);
      if (key !== undefined && key === admin) return { tenant: readTenant(named), isAdmin: true };
      if (given.length === 0) return { tenant: trustTenantHeader ? readTenant(named) : defaultTenant, isAdmin: false };
      const tenant = key === undefined ? undefined : tenants.get(key);
      if (tenant === undefined)
        throw new Refusal(401, 'unauthorized', 'a key is needed: X-API-Key or Authorization: Bearer');
      return { tenant, isAdmin: false };
    },
    async requireAdmin(request) {
      if (adminKey === undefined) throw new Refusal(404, 'not_found', 'there is no admin key, so there is no /config');
      const { admin } = digests ?? (await readDigests());
      const key = await readKey(request);
      if (key === undefined) throw new Refusal(401, 'unauthorized', 'the admin key is needed');
      if (key !== admin) throw new Refusal(403, 'forbidden', 'this is not the admin key');
    },
  };
}

function readTenant(named: string | undefined): string {
  if (named === undefined) return defaultTenant;
  if (!isTenant(named)) {
    throw new Refusal(400, 'bad_request', 'a tenant has 1 to 64 letters, digits and _ . : -', { field: 'x-tenant-id' });
  }
  return named;
}

async function digest(text: string): Promise<string> {
  return toHex(await sha256(text));
}
