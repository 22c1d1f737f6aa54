/** A sample's value: `NaN`, `+Inf`, `1e-07`; what JavaScript prints but for the words and two digits of exponent. */
export function renderNumber(value: number): string {
  if (Number.isInteger(value) && value < 1e21 && value > -1e21) return `${value}`;
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN';
  return padExponent(`${value}`);
}

/** A bucket's bound as Go's shortest `%g` has it, so that the label is the same whichever client wrote it. */
export function renderBound(bound: number, openMetrics: boolean): string {
  const [mantissa, exponent = '0'] = bound.toExponential().split('e');
  if (bound !== 0 && (Number(exponent) < -4 || Number(exponent) >= 6)) return padExponent(`${mantissa}e${exponent}`);
  const text = renderNumber(bound);
  return openMetrics && Number.isInteger(bound) ? `${text}.0` : text;
}

/** Without an expression: this runs for every value of every scrape. */
function padExponent(text: string): string {
  const at = text.length - 2;
  const sign = text.charCodeAt(at);
  return sign === 0x2b || sign === 0x2d ? `${text.slice(0, at + 1)}0${text[at + 1]}` : text;
}

/** Unix nanoseconds as seconds with milliseconds. */
export function renderSeconds(unixNano: bigint): string {
  return `${Number(unixNano / 1_000_000n) / 1000}`;
}
