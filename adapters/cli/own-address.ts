import { hostname, networkInterfaces } from 'node:os';

/** What a name in a URL is, without its dot at the end; IPv6 keeps its brackets. */
const nameOf = (url: string) => new URL(url).hostname.replace(/\.$/, '');

const isAny = (name: string) => name === '0.0.0.0' || name === '[::]';

/** Whether an address is this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[?::1\]?)$/.test(host);
}

/** A host that may be listened on, as a URL has it. */
export function toUrlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Whether a URL plainly leads to who listens on this host and port; a name that only a resolver knows does not. */
export function isOwnAddress(url: string, host: string, port: number): boolean {
  const { protocol, port: given } = new URL(url);
  const listening = `http://${toUrlHost(host)}`;
  if (Number(given || (protocol === 'https:' ? 443 : 80)) !== port || !URL.canParse(listening)) return false;
  const [name, own] = [nameOf(url), nameOf(listening)];
  if (name === own) return true;
  if (isAny(own)) return isLoopback(name) || isAny(name) || namesOfMachine().includes(name);
  // To connect to 0.0.0.0 is to connect to this machine.
  return isLoopback(own) && (name === 'localhost' || isAny(name) || (own === 'localhost' && isLoopback(name)));
}

function namesOfMachine(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
  return [hostname().toLowerCase(), ...addresses.map(toUrlHost)];
}
