/**
 * Prompts from a file, whatever wrote it: plain text with one per line; JSON, JSON lines, CSV and TSV with the column that
 * holds them; COCO's captions (captions_val2014.json), of which each image gives its first. What a file is, its content says
 * where it can, else the end of its name. A table is never read as lines: without a column it is refused.
 */
import { decodeText } from '../../files/decode-text.ts';
import { onDisk } from '../../files/disk.ts';
import { isFolder } from '../../files/folders.ts';
import { readBytes } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import { promptsOfJson, readJson } from './json.ts';
import { valuesOf } from './rows.ts';
import { delimiterOf, readTable, withoutHint } from './table.ts';

/** Text that nobody wrote as prompts, though it can be read as such. */
const others: readonly [beginning: RegExp, what: string, hint: string][] = [
  [
    /^\s*<(!doctype|!--|\?xml|(html|head|body|div|p|svg|rss|error)[\s>])/i,
    'a web page or XML',
    'Download the file itself, not the page that shows it.',
  ],
  [/^\s*[\w-]+:\s*[|>]?\s*[\n\r]+\s+- /, 'YAML', 'Write one prompt per line.'],
  [/^\s*<([a-z][\w-]*)(\s[^>]*)?>[\s\S]*<\/\1>\s*$/i, 'XML', 'Write one prompt per line.'],
  [
    /^\s*(WEBVTT\b|\d+[^\S\n\r]*(\r\n|\n|\r)\d\d:\d\d:\d\d[,.]\d+ -->)/,
    'subtitles of a film',
    'Write one prompt per line, without numbers and times.',
  ],
  [
    /^[ \t]*\|.*\|[ \t]*(\r\n|\n|\r)[ \t]*\|[ \t:|-]{2,500}(?=[\n\r]|$)/,
    'a table in Markdown',
    'Give it as CSV or TSV, or write one prompt per line.',
  ],
  [
    /^Steps: \d+, Sampler: /m,
    "settings of pictures, as AUTOMATIC1111's web UI writes them",
    'Write one prompt per line, without the settings below it.',
  ],
  [/^%!PS/, 'a PostScript document', 'Write one prompt per line.'],
  [/^version https:\/\/git-lfs/, 'the stand-in of a file that Git LFS keeps', 'Fetch the file: git lfs pull.'],
];

/**
 * At least one prompt, none empty, in the order of the file.
 * @param column the key or column that holds them; a number from 1 on counts the columns of a table without a line of names
 * @throws UserError('data') that names the file, UserError('io')
 */
export function readPromptFile(file: string, column?: string): string[] {
  const text = decodeText(read(file), file);
  const kept = promptsOf(text, file, column)
    .map((prompt) => prompt.trim())
    .filter((prompt) => prompt !== '');
  if (kept.length > 0) return kept;
  const where = column === undefined ? '' : ` in its column "${column}"`;
  throw new UserError('data', `${file} holds no prompts${where}`, 'Write one prompt per line.');
}

function promptsOf(text: string, file: string, column: string | undefined): readonly string[] {
  const other = others.find(([beginning]) => beginning.test(text));
  if (other) throw new UserError('data', `${file} is ${other[1]}, not a list of prompts`, other[2]);
  const json = readJson(text, file);
  if (json !== undefined) return promptsOfJson(json, file, column);
  const rows = withoutHint(text);
  const delimiter = delimiterOf(rows, file, column);
  if (delimiter !== undefined) return valuesOf(readTable(rows, delimiter, file, column), file, column);
  const lines = text.split(/[\n\r\v\f\u0085\u2028\u2029]/);
  const heading = headingOf(lines);
  if (heading !== undefined && column === heading) return lines.slice(lines.findIndex(isFilled) + 1);
  if (column === undefined) {
    if (heading !== undefined) {
      const hint = `Read what is below it with --prompt-column ${heading}, in a config with text.promptColumn; or take that line out.`;
      throw new UserError('data', `${file} is a table of one column: its first line, "${heading}", is its name`, hint);
    }
    refuseNames(lines, file);
    return lines;
  }
  const hint = 'Leave the column out: every line of plain text is a prompt.';
  throw new UserError('data', `${file} is plain text and has no column "${column}"`, hint);
}

const isFilled = (line: string) => line.trim() !== '';

/** The name of the only column, where that is the first line of several. */
function headingOf(lines: readonly string[]): string | undefined {
  const [first = '', second] = lines.filter(isFilled);
  return second === undefined ? undefined : /^\s*(prompts?|captions?|text)\s*$/i.exec(first)?.[1];
}

/** What lies beside prompts, or has them behind it in some of its lines. */
const names: readonly [every: RegExp, what: string, hint: string][] = [
  [/^\s*(https?|ftp|s3|gs|file):\/\/\S/i, 'a list of addresses', 'Give the file that has the captions.'],
  [/^\S+\.(png|jpe?g|webp|gif|bmp|tiff?)\s*$/i, 'a list of picture files', 'Give the file that has the captions.'],
  [/^\s*\d+[.)]\s+\S/, 'a numbered list', 'Write one prompt per line, without its number.'],
  [/^\s*(?:'.*'|".*")\s*,\s*$/, 'a list of a program', 'Write one prompt per line, without quotes and commas.'],
  [/^\s*[-*] \S/, 'a list in YAML or Markdown', 'Write one prompt per line, without what marks it as an entry.'],
];

/** Refuses lines that are no prompts, every one of them. */
function refuseNames(lines: readonly string[], file: string): void {
  const filled = lines.filter(isFilled);
  const found = filled.length > 0 && names.find(([every]) => filled.every((line) => every.test(line)));
  if (found) throw new UserError('data', `${file} is ${found[1]}, not of prompts`, found[2]);
}

function read(file: string): Uint8Array {
  if (isFolder(file)) throw new UserError('data', `${file} is a folder`, 'Name a file with prompts.');
  return onDisk('read', file, () => readBytes(file, 'prompts'));
}
