/** UCUM as Prometheus spells it: https://github.com/prometheus/otlptranslator has the same words. */
const words: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  kBy: 'kilobytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};

const perWords: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  min: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

/** `s` as `seconds`, `m/s` as `meters_per_second`, `{token}` as nothing; an unknown unit as it is. */
export function unitSuffix(unit: string): string {
  const [main = '', per = ''] = unit.replace(/\{[^}]*\}/g, '').split('/');
  const suffix = spell(main.trim(), words);
  const divisor = spell(per.trim(), perWords);
  return divisor ? `${suffix && `${suffix}_`}per_${divisor}` : suffix;
}

function spell(unit: string, table: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(table, unit)) return table[unit]!;
  return unit.replace(/[^a-zA-Z0-9]+/g, '_').replace(/^_|_$/g, '');
}
