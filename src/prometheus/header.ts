/** A longer header is cut here; what the cut leaves unreadable is ignored. */
const maxHeaderLength = 4096;

/** One member of a header like `Accept`: its value, its quality from 0 to 1 and its other parameters, in lower case. */
export interface QualityMember {
  readonly value: string;
  readonly q: number;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Members of a list with quality values, in order. A member whose `q` is no number from 0 to 1 is left out.
 * https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2
 */
export function parseQualityList(header: unknown): QualityMember[] {
  if (typeof header !== 'string') return [];
  const members: QualityMember[] = [];
  for (const member of header.slice(0, maxHeaderLength).toLowerCase().split(',')) {
    const [value = '', ...rest] = member.split(';');
    const params: Record<string, string> = {};
    for (const param of rest) {
      const at = param.indexOf('=');
      if (at > 0)
        params[param.slice(0, at).trim()] = param
          .slice(at + 1)
          .trim()
          .replace(/^"(.*)"$/, '$1');
    }
    const { q = '1', ...others } = params;
    if (/^(0(\.\d*)?|1(\.0*)?)$/.test(q)) members.push({ value: value.trim(), q: Number(q), params: others });
  }
  return members;
}
