/** A request that is no OTLP. `field` says where, as OTLP's JSON names it: `resourceSpans[0].scopeSpans[1].spans[7]`. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly field: string;
  readonly #problem: string;

  constructor(field: string, problem: string) {
    super(field ? `${field}: ${problem}` : problem);
    this.field = field;
    this.#problem = problem;
  }

  /** The same, of something that is inside of this field. */
  inside(field: string): DecodeError {
    return new DecodeError(this.field ? `${field}.${this.field}` : field, this.#problem);
  }
}
