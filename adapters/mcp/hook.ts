type Handler = (...args: unknown[]) => unknown;

/**
 * Puts something around the handler that others set as this property, now or later, be it a field or an accessor. Read
 * back, it is the wrapped one, which may be set again as it is.
 */
export function hookProperty(target: object, name: string, wrap: (handler: Handler) => Handler): void {
  const accessor = findAccessor(target, name);
  let current: unknown;

  function set(value: unknown): void {
    current = typeof value === 'function' && value !== current ? wrap(value as Handler) : value;
    accessor?.set?.call(target, current);
  }

  const given: unknown = Reflect.get(target, name, target);
  Object.defineProperty(target, name, { configurable: true, enumerable: true, get: () => current, set });
  if (given !== undefined) set(given);
}

function findAccessor(target: object, name: string): PropertyDescriptor | undefined {
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at)) {
    const found = Reflect.getOwnPropertyDescriptor(at, name);
    if (found) return found.get || found.set ? found : undefined;
  }
  return undefined;
}
