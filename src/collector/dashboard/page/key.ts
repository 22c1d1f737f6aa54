const name = 'edgespan.key';
let held: string | undefined;

/** Of this tab. Where the browser keeps no storage, of this page. */
export function readKey(): string | undefined {
  try {
    return sessionStorage.getItem(name) || undefined;
  } catch {
    return held;
  }
}

/** An empty one is none. */
export function writeKey(key: string): void {
  held = key || undefined;
  try {
    if (key) sessionStorage.setItem(name, key);
    else sessionStorage.removeItem(name);
  } catch {
    // It holds until the page is left.
  }
}
