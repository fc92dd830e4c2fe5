/**
 * JSON out of files that anybody may have written. What the parser of the language takes, the code behind it need not bear: values
 * nested thousands deep end whoever walks them, a few megabytes of brackets become gigabytes of lists, and a key `__proto__` is
 * another thing than a key wherever it is assigned. All three are refused before anything is built, or handed on.
 */

export interface JsonLimits {
  /** Lists and objects in one another. Graphs of ComfyUI have ten, configs fewer. */
  readonly depth?: number;
  /** Values in all, keys among them. */
  readonly values?: number;
  /** Keys are names that the file gives, such as those of tensors, and only ever go into a `Map`: every one is as good. */
  readonly anyNames?: boolean;
}

const deepest = 100;
/** Two for each of the captions of COCO are 2 million, three for each label of ImageNet 4 million. */
const most = 2 ** 24;

/** What is wrong with a text as JSON, as the end of a sentence about its file. */
export class JsonError extends Error {}

/** @throws JsonError for what is no JSON, or more than `limits` allow */
export function parseJson(
  text: string,
  { depth = deepest, values = most, anyNames = false }: JsonLimits = {},
): unknown {
  checkSize(text, depth, values);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new JsonError(whatIsWrong(text, cause), { cause });
  }
  // An escape can spell any letter of the key.
  if (!anyNames && /__proto__|\\u00/i.test(text)) refusePrototypes(value);
  return value;
}

/** Without a word of the text, which the parser's own message quotes: by a link it may be of a file that is a secret. */
function whatIsWrong(text: string, cause: unknown): string {
  if (text.trim() === '') return 'it is empty';
  if (!(cause instanceof Error)) return 'it is not JSON';
  if (/^Unexpected end of JSON/.test(cause.message)) return 'its JSON breaks off';
  const [, position] = / in JSON at position (\d+)/.exec(cause.message) ?? [];
  if (position === undefined) return 'it is not JSON';
  const lines = text.slice(0, Number(position)).split('\n');
  return `it is not JSON at line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}

const code = (char: string) => char.charCodeAt(0);
const [quote, backslash, comma, colon] = ['"', '\\', ',', ':'].map(code);
const opening = new Set([code('['), code('{')]);
const closing = new Set([code(']'), code('}')]);

/** Looks at brackets and dividers alone; whether they are where they belong, the parser says. */
function checkSize(text: string, depth: number, values: number): void {
  let level = 0;
  let count = 1;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === quote) i = endOfString(text, i);
    else if (char === comma || char === colon) count++;
    else if (opening.has(char)) {
      count++;
      level++;
      if (level > depth) throw new JsonError(`it is nested more than ${depth} levels deep`);
    } else if (closing.has(char)) level--;
    if (count > values) throw new JsonError(`it has more than ${values} values`);
  }
}

/** The closing quote of a string, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === backslash) i++;
    else if (char === quote) return i;
  }
  return text.length;
}

function refusePrototypes(root: unknown): void {
  const open = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) throw new JsonError('it has the key "__proto__", which no program writes');
    for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) open.push(inner);
  }
}
