/** Prompts in JSON and JSON lines: a list of texts, a list of objects, an object of columns, or COCO's captions. */

import { z } from 'zod';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { UserError } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json.ts';
import { choose, kindOf, noColumn, oneLine, type Rows, valuesOf } from './rows.ts';

type JsonObject = Readonly<Record<string, unknown>>;
type Json = JsonObject | readonly unknown[];

const cocoSchema = z.looseObject({
  annotations: z.array(z.looseObject({ image_id: z.union([z.int(), z.string()]), caption: z.string() })),
});

/**
 * How lists and objects with texts in them begin, those that Python prints as well. A prompt may begin with a brace or a
 * bracket too: `{red|blue} circle`, `[circle:square:0.5]`.
 */
const beginning = /^\s*(\{\s*("[^"\n]*"|'[^'\n]*')\s*:|\[\s*(\{\s*["']|("[^"\n]*"|'[^'\n]*')\s*,))/;

/**
 * JSON, or the values of JSON lines as a list; undefined for plain text.
 * @throws UserError('data') for what is damaged
 */
export function readJson(text: string, file: string): Json | undefined {
  const hasLines = /\.(jsonl|ndjson)$/i.test(file);
  const named = hasLines || /\.json$/i.test(file);
  if (!named && !/^\s*[[{]/.test(text)) return quotedLines(text);
  const whole = hasLines ? undefined : parse(text);
  if (isObject(whole) || Array.isArray(whole)) return whole;
  const [first = ''] = /\S[^\n\r]*/.exec(text) ?? [];
  if (hasLines || isObject(parse(first)) || Array.isArray(parse(first))) return readLines(text, file);
  if (named || beginning.test(text)) throw damaged(`${file} starts like JSON but is none`, text);
  return undefined;
}

/** JSON lines that are all texts, whatever the file is called; one alone may be a prompt in quotes. */
function quotedLines(text: string): string[] | undefined {
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '');
  if (lines.length < 2 || !lines.every((line) => /^\s*".*"\s*$/.test(line))) return undefined;
  const values = lines.map(parse);
  return values.every((value) => typeof value === 'string') ? values : undefined;
}

function readLines(text: string, file: string): unknown[] {
  return text.split(/\r\n|\n|\r/).flatMap((line, i) => {
    if (line.trim() === '') return [];
    const value = parse(line);
    if (value === undefined) throw damaged(`${file} is read as JSON lines, but line ${i + 1} is none`, line);
    return [value];
  });
}

/** @throws UserError('data') */
export function promptsOfJson(json: Json, file: string, column: string | undefined): string[] {
  if (!isObject(json)) return promptsOfList(json, file, column);
  if (column === undefined && 'annotations' in json) return cocoCaptions(json, file);
  const lists = Object.values(json).filter((value) => Array.isArray(value) && value.some(isObject)) as unknown[][];
  const columns = [...new Set([...Object.keys(json), ...lists.flatMap((list) => rowsOf(list).columns)])];
  if (column === undefined) {
    throw new UserError('data', `${file} is a JSON object, not a list of prompts`, choose(columns));
  }
  const own = Object.hasOwn(json, column) ? json[column] : undefined;
  if (typeof own === 'string') return [oneLine(own)];
  // pandas writes a column as an object by row.
  const texts = isObject(own) ? Object.values(own) : own;
  if (Array.isArray(texts)) return promptsOfList(texts, file, undefined);
  const fitting = lists.filter((list) => rowsOf(list).columns.includes(column));
  if (fitting.length === 1) return promptsOfList(fitting[0]!, file, column);
  throw noColumn(file, column, columns);
}

function promptsOfList(list: readonly unknown[], file: string, column: string | undefined): string[] {
  const isText = column === undefined && typeof (list[0] ?? '') === 'string';
  const other = list.findIndex((value) => (isText ? typeof value !== 'string' : !isObject(value)));
  if (other < 0) return isText ? list.map((value) => oneLine(String(value))) : valuesOf(rowsOf(list), file, column);
  const wanted = column === undefined ? 'a text' : `an object with "${column}"`;
  const hint = 'Give a list of texts, or of objects and the key that holds the prompt.';
  throw new UserError('data', `${file}: entry ${other + 1} is ${kindOf(list[other])}, not ${wanted}`, hint);
}

function rowsOf(list: readonly unknown[]): Rows {
  const rows = list.filter(isObject);
  return {
    what: 'a list of objects (JSON)',
    columns: [...new Set(rows.flatMap((row) => Object.keys(row)))],
    values: (column) => rows.map((row) => (Object.hasOwn(row, column) ? row[column] : null)),
    rowName: (index) => `entry ${index + 1}`,
  };
}

/** In the order in which the file first names the images. */
function cocoCaptions(json: JsonObject, file: string): string[] {
  const parsed = safeParse(cocoSchema, json);
  if (!parsed.success) {
    const [{ path: key, message }] = parsed.error.issues;
    const hint = "Give COCO's captions_val2014.json, or a text file with a prompt per line.";
    throw new UserError('data', `${file}: ${key.join('.') || 'the file'}: ${message}`, hint);
  }
  const first = new Map<number | string, string>();
  for (const { image_id: id, caption } of parsed.data.annotations) if (!first.has(id)) first.set(id, oneLine(caption));
  return [...first.values()];
}

function damaged(message: string, text: string): UserError {
  const hint = 'Repair the file, or give a text file with a prompt per line.';
  try {
    parseJson(text);
  } catch (cause) {
    const { message: why, cause: inner } = cause as Error;
    const what = inner === undefined ? message.replace(/is none$/, 'cannot be read') : message;
    return new UserError('data', `${what}: ${why}`, hint, { cause });
  }
  return new UserError('data', `${message}: it is neither a list nor an object`, hint);
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
