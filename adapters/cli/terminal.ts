import process from 'node:process';
import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** Where a command writes: results to standard output, progress and errors to standard error. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(line: string): void;
  error(line: string): void;
  /** For machines: one value as one line. */
  json(value: unknown): void;
  /** Coloured where somebody looks at it: on a terminal, and without NO_COLOR (https://no-color.org). */
  style(style: Style, text: string): string;
}

export function createTerminal(): Terminal {
  const { env, stdout, stderr } = process;
  const isColoured = stdout.isTTY === true && stderr.isTTY === true && !env.NO_COLOR;
  // Whoever has read it may be gone (`edgespan collector | head -1`), which is no reason to end.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  const out = (line: string) => void stdout.write(`${line}\n`);
  return {
    env,
    out,
    error: (line) => void stderr.write(`${line}\n`),
    json: (value) => out(JSON.stringify(value)),
    style: (style, text) => (isColoured ? styleText(style, text, { validateStream: false }) : text),
  };
}
