/** Where a command's results go: plain lines for people, with --json one JSON object per line for machines. */
import type { Command } from 'commander';
import { printable } from '../protocol/printable.ts';

export interface CommonOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** The options every command has. */
export function commonOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object per event, for machines')
    .option('--verbose', 'show where in the program an error came from');
}

export interface Output {
  readonly json: boolean;
  /** A line for people; machines do not get it. */
  line(text?: string): void;
  /** An event for machines; people do not see it. */
  event(name: string, fields: Readonly<Record<string, unknown>>): void;
}

export function createOutput({ json = false }: CommonOptions): Output {
  return {
    json,
    line(text = '') {
      if (!json) process.stdout.write(`${printable(text)}\n`);
    },
    event(name, fields) {
      if (json) process.stdout.write(`${JSON.stringify({ event: name, ...fields })}\n`);
    },
  };
}

/** Columns padded to the widest cell; numbers of columns may differ. The last one is not padded. */
export function table(rows: readonly (readonly string[])[], indent = ''): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map(
    (row) =>
      indent +
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
  );
}
