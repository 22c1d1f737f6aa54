const name = 'edgespan.theme';
const system = /* @__PURE__ */ matchMedia('(prefers-color-scheme: dark)');

export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? system.matches : chosen === 'dark';
}

/** The choice of last time, else what the system prefers, as that changes. `changed` is called after each change. */
export function startTheme(changed: () => void): void {
  const chosen = read();
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
  system.addEventListener('change', changed);
  changed();
}

/** The other one. What the system prefers anyway needs no memory, and follows it from then on. */
export function switchTheme(): void {
  const next = isDark() ? 'light' : 'dark';
  const isDefault = (next === 'dark') === system.matches;
  if (isDefault) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (isDefault) localStorage.removeItem(name);
    else localStorage.setItem(name, next);
  } catch {
    // It holds until the page is left.
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
