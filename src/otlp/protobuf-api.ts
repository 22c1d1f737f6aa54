/**
 * What OpenTelemetry's serializer uses of `@opentelemetry/api` at run time. The build puts this in its place, and fails
 * where the serializer wants more.
 */
export const diag = { debug(): void {} };

/** The API's `ValueType`. */
export const ValueType = { INT: 0, DOUBLE: 1 } as const;
