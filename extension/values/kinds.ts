/** Which source reads which program. To support another language is a source and a line here. */
import type { Debuggee } from './debuggee.ts';
import { dmdSource } from './dmd/source.ts';
import { javascriptSource } from './javascript/source.ts';
import { pythonSource } from './python/source.ts';
import type { ValueSource } from './value-source.ts';

const byType: readonly (readonly [RegExp, ValueSource])[] = [
  [/^dmd$/, dmdSource],
  [/python|debugpy|jupyter/i, pythonSource],
  [/node|chrome|msedge|extensionhost|javascript|\bbun\b|\bdeno\b/i, javascriptSource],
];

/** For debuggers that nobody has heard of: what the file is written in. */
const byFile: readonly (readonly [RegExp, ValueSource])[] = [
  [/[.](py|pyw|pyx|ipynb)$/i, pythonSource],
  [/[.]([cm]?[jt]sx?|vue|svelte)$/i, javascriptSource],
];

/** Undefined for a program in a language that we cannot read. */
export function sourceFor({ type, source }: Pick<Debuggee, 'type' | 'source'>): ValueSource | undefined {
  const pick = (kinds: typeof byType, text: string) => kinds.find(([pattern]) => pattern.test(text))?.[1];
  return pick(byType, type) ?? pick(byFile, source.replace(/[?#].*$/, ''));
}
