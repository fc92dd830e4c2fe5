/** The listings of stages and blocks that were entered, as sources that the editor asks for by number. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { InsideFrame } from './node.ts';

export class InsideSources {
  readonly #byText = new Map<string, number>();
  readonly #sources: { readonly source: DebugProtocol.Source; readonly text: string }[] = [];
  readonly #first: number;

  /** @param first the first number to give out */
  constructor(first: number) {
    this.#first = first;
  }

  /** The same listing is the same source, however often it is entered. */
  asSource({ title, lines }: InsideFrame): DebugProtocol.Source {
    const text = lines.map((line) => `${line.text}\n`).join('');
    const key = `${title}\n${text}`;
    const known = this.#byText.get(key);
    if (known !== undefined) return this.#sources[known]!.source;
    const sourceReference = this.#first + this.#sources.length;
    const source = { name: `${title}.dmd`, sourceReference, origin: 'computed again, read only' };
    this.#byText.set(key, this.#sources.length);
    this.#sources.push({ source, text });
    return source;
  }

  text(reference: number): string | undefined {
    return this.#sources[reference - this.#first]?.text;
  }

  list(): DebugProtocol.Source[] {
    return this.#sources.map(({ source }) => source);
  }
}
