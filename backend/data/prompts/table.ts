/** Tables as text: CSV and TSV. Cells in quotes are as RFC 4180 has them; a TSV whose quotes do not close has none. */
import { UserError } from '../../protocol/errors.ts';
import type { Rows } from './rows.ts';

export type Delimiter = ',' | ';' | '\t' | '|';

/** What lists of prompts call their columns; by them a table is known whose name says nothing. */
const usual =
  'text|captions?|prompts?|comments?|urls?|image|image_?(name|path)|file_?name|sentences?|titles?|description';
const usualName = new RegExp(`^"?(${usual})"?$`, 'i');
/** A name of two words, such as `caption text`. */
const looseName = new RegExp(`^"?(\\w+ )?(${usual})( \\w+)?"?$`, 'i');

/** Without the line by which spreadsheets tell each other what divides the columns. */
export const withoutHint = (text: string) => text.replace(/^sep=.(\r\n|\n|\r)/i, '');

/**
 * What divides the columns; undefined for plain text. Prompts are full of commas, so that where the file's name does not tell,
 * a table with commas is known by a first line that names columns, and one with tabs by as many tabs in every line.
 * @param column was chosen: the file is meant as a table
 */
export function delimiterOf(text: string, file: string, column: string | undefined): Delimiter | undefined {
  if (/\.(tsv|tab)$/i.test(file)) return '\t';
  const lines = text.split(/\r\n|\n|\r/, 1000).filter((line) => line.trim() !== '');
  const first = lines[0] ?? '';
  const cells = (delimiter: Delimiter) => first.split(delimiter).length;
  const likely = ([',', ';', '\t', '|'] as const).reduce((a, b) => (cells(b) > cells(a) ? b : a));
  if (/\.csv$/i.test(file)) return likely;
  if (cells('\t') > 1 && lines.every((line) => line.split('\t').length === cells('\t'))) return '\t';
  if (cells(likely) === 1) return undefined;
  // Numbers of pictures before their prompts; in prompts a comma has a blank behind it.
  const numbered = ([',', ';', '|'] as const).find((mark) => lines.every((line) => isNumbered(line, mark)));
  if (numbered && lines.length > 1) return numbered;
  const names = first.split(likely);
  const isEven = lines.length > 1 && lines.every((line) => line.split(likely).length === names.length);
  // pandas gives the column of row numbers no name.
  const isStrict = names.every((name, i) => /^"?[\w.-]+"?$/.test(name) || (i === 0 && name === ''));
  // In prompts a comma has a blank behind it.
  const plain = likely === ',' ? names : names.map((name) => name.trim());
  const isLoose = isEven && plain.every((name) => /^"?[\w.#-]*( [\w.#-]+)?"?$/.test(name) && !/^ /.test(name));
  const isHeader =
    (isStrict && names.some((name) => usualName.test(name))) || (isLoose && plain.some((name) => looseName.test(name)));
  const isNamed = column !== undefined && names.some((name) => name.trim().replace(/^"(.*)"$/, '$1') === column);
  return isHeader || isNamed ? likely : undefined;
}

const isNumbered = (line: string, mark: string) => /^\d+$/.test(line.split(mark, 1)[0]!) && /^\d+.\S/.test(line);

/**
 * The first line names the columns, unless the column that was chosen is a number, which counts them.
 * @throws UserError('data') for a row with another number of cells, and for quotes that do not close
 */
export function readTable(text: string, delimiter: Delimiter, file: string, column: string | undefined): Rows {
  const what = `a table (${delimiter === '\t' ? 'TSV' : 'CSV'})`;
  const records = recordsOf(text, delimiter, true) ?? (delimiter === '\t' ? recordsOf(text, delimiter, false) : null);
  if (!records) {
    throw new UserError('data', `${file} is ${what} with quotes that do not close`, 'Repair it, or write a TSV.');
  }
  const first = records[0]?.cells ?? [];
  const ragged = records.find(({ cells }) => cells.length !== first.length);
  if (ragged) {
    const line = text.slice(0, ragged.start).split(/\r\n|\n|\r/).length;
    const counts = `${ragged.cells.length} cells, the first line ${first.length}`;
    const hint = 'Repair the table; if it has a prompt per line, give it a name that ends in .txt.';
    throw new UserError('data', `${file} is read as ${what}, but line ${line} has ${counts}`, hint);
  }
  const names = first.map((name) => name.trim());
  const isCounted = /^[1-9]\d*$/.test(column ?? '') && !names.some((name) => name === column || usualName.test(name));
  const columns = isCounted ? names.map((_, i) => String(i + 1)) : names;
  const rows = isCounted ? records : records.slice(1);
  return {
    what,
    columns,
    values(name) {
      const at = columns.indexOf(name);
      return rows.map(({ cells }) => cells[at]);
    },
    rowName: (index) => `row ${index + 1}`,
  };
}

interface TableRecord {
  readonly cells: readonly string[];
  /** Where it starts in the text. */
  readonly start: number;
}

/** Without empty lines. Null for quotes that do not close, or close in the middle of a cell. */
function recordsOf(text: string, delimiter: Delimiter, quotes: boolean): TableRecord[] | null {
  const divider = delimiter === '|' ? '\\|' : delimiter;
  const plain = `[^\\n\\r${divider}]*`;
  const cell = quotes ? `"[^"]*(?:""[^"]*)*"|(?!")${plain}` : plain;
  const pattern = new RegExp(`(${cell})(${divider}|\\r\\n|\\n|\\r|$)`, 'y');
  const records: TableRecord[] = [];
  let cells: string[] = [];
  let start = 0;
  while (pattern.lastIndex < text.length || cells.length > 0) {
    const found = pattern.exec(text);
    if (!found) return null;
    const [, value = '', end = ''] = found;
    cells.push(quotes && value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end === delimiter) continue;
    if (cells.length > 1 || cells[0]!.trim() !== '') records.push({ cells, start });
    cells = [];
    start = pattern.lastIndex;
    if (end === '') break;
  }
  return records;
}
