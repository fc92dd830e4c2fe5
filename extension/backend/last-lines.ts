/** Cuts what a process writes into lines, and keeps the last of them for the moment it ends. */
import { stripVTControlCharacters } from 'node:util';

/** Something that never ends its line must not fill the memory. */
const longestLine = 10_000;

export class LastLines {
  readonly #keep: number;
  readonly #lines: string[] = [];

  constructor(keep: number) {
    this.#keep = keep;
  }

  /** Reads a stream to its end; every line is kept and passed on, without the colours of a terminal. */
  follow(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
    let rest = '';
    const emit = (text: string) => {
      const line = stripVTControlCharacters(text).trimEnd().slice(0, longestLine);
      if (line === '') return;
      this.#lines.push(line);
      if (this.#lines.length > this.#keep) this.#lines.shift();
      onLine(line);
    };
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) emit(part);
      if (rest.length <= longestLine) return;
      emit(rest);
      rest = '';
    });
    stream.on('end', () => emit(rest));
    stream.on('error', () => {}); // the process has gone; its exit is reported elsewhere
  }

  toArray(): string[] {
    return [...this.#lines];
  }
}
