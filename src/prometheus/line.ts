import { escapeText } from './labels.ts';
import { isClassicName } from './name.ts';

/**
 * All lines begin with their line break, since that makes one string less of each; the page drops the first.
 * `open` goes before a label set and its `}`, `bare` stands where there is none.
 */
export interface LineStart {
  readonly open: string;
  readonly bare: string;
}

/** A name outside the classic charset goes between the braces: https://prometheus.io/docs/guides/utf8/ */
export function lineStart(name: string): LineStart {
  if (isClassicName(name, true)) return { open: `\n${name}{`, bare: `\n${name} ` };
  const quoted = `\n{"${escapeText(name)}"`;
  return { open: `${quoted},`, bare: `${quoted}} ` };
}

/** A line up to its value. */
export function renderStart(start: LineStart, labels: string): string {
  return labels === '' ? start.bare : `${start.open}${labels}} `;
}

/** A line of metadata; its name is quoted like that of a sample. */
export function renderMetadata(keyword: 'HELP' | 'TYPE' | 'UNIT', name: string, value: string): string {
  return `\n# ${keyword} ${isClassicName(name, true) ? name : `"${escapeText(name)}"`} ${value}`;
}
