/** Rows of a table or of JSON, and the prompts in the column that was chosen. */
import { UserError } from '../../protocol/errors.ts';

export interface Rows {
  /** E.g. 'a table (TSV)', for messages. */
  readonly what: string;
  readonly columns: readonly string[];
  /** One for each row; null and undefined for a row without. */
  values(column: string): readonly unknown[];
  /** How messages call a row. */
  rowName(index: number): string;
}

/** @throws UserError('data') without a column, for one that is not there, and for one that holds something else than text */
export function valuesOf(rows: Rows, file: string, column: string | undefined): string[] {
  const { what, columns } = rows;
  if (column === undefined) throw new UserError('data', `${file} is ${what}, not a prompt per line`, choose(columns));
  if (!columns.includes(column)) throw noColumn(file, column, columns);
  return rows.values(column).flatMap((value, i) => {
    if (value === null || value === undefined) return [];
    if (typeof value === 'string') return [oneLine(value)];
    const message = `${file}, ${rows.rowName(i)}: "${column}" is ${kindOf(value)}, not a text`;
    throw new UserError('data', message, choose(columns));
  });
}

/** Captions of COCO and of web pages have line breaks in them. */
export const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ');

export function noColumn(file: string, column: string, columns: readonly string[]): UserError {
  return new UserError('data', `${file} has no column "${column}"`, choose(columns));
}

const mostNamed = 20;

/** What to do about a table whose columns have these names. */
export function choose(columns: readonly string[]): string {
  const how = 'Choose the one that holds the prompts, with --prompt-column, in a config with text.promptColumn';
  const named = columns.slice(0, mostNamed).map((name) => JSON.stringify(name.slice(0, 60)));
  const more = columns.length > mostNamed ? ` and ${columns.length - mostNamed} more` : '';
  return columns.length === 0 ? `${how}.` : `${how}: ${named.join(', ')}${more}.`;
}

/** In words, and never long. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? 'a text' : String(value);
}
