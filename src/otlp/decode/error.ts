/** A request that is no OTLP. `field` says where, as OTLP's JSON names it: `resourceSpans[0].scopeSpans[1].spans[7]`. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly field: string;

  constructor(field: string, problem: string) {
    super(field ? `${field}: ${problem}` : problem);
    this.field = field;
  }
}
