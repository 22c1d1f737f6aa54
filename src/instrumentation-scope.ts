/** Which library emits. */
export interface InstrumentationScope {
  readonly name: string;
  readonly version?: string;
  readonly schemaUrl?: string;
}

/** As `getTracer` and `getMeter` are given it; what is no text is left out, and a name that is none is empty. */
export function createScope(name: unknown, version: unknown, options?: { schemaUrl?: unknown }): InstrumentationScope {
  const schemaUrl = options?.schemaUrl;
  return {
    name: typeof name === 'string' ? name : '',
    ...(typeof version === 'string' && { version }),
    ...(typeof schemaUrl === 'string' && { schemaUrl }),
  };
}
