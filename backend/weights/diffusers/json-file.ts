/** The small JSON files of a model folder: read whole, checked to be objects, refused in words that name the file. */
import { onDisk } from '../../files/disk.ts';
import { readText as readRegular } from '../../files/regular.ts';
import { UserError } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Throws UserError('weights') when it is too large, damaged, a pointer to something else, or no object. */
export function readJsonObject(file: string): JsonObject {
  const text = readText(file);
  let value: unknown;
  try {
    value = parsePythonJson(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError('weights', `${file} is not JSON: ${reason}`, why(text), { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError('weights', `${file} holds no JSON object`, 'Fetch the file again.');
  }
  return value as JsonObject;
}

/** JSON as Python's writer leaves it: schedulers' configs have infinities as bare words. NaN stays an error. */
function parsePythonJson(text: string): unknown {
  // 1e999 is how JSON can say Infinity; the first alternative steps over text.
  return parseJson(
    text.replace(/"(?:[^"\\]|\\.)*"|\bInfinity\b/g, (token) => (token === 'Infinity' ? '1e999' : token)),
  );
}

/** A text file of a model folder, UTF-8: a configuration, an index of shards, a vocabulary. */
export function readText(file: string): string {
  return onDisk('read', file, () => {
    try {
      return readRegular(file, 'vocabulary');
    } catch (error) {
      throw error instanceof UserError ? new UserError('weights', error.message, error.hint) : error;
    }
  });
}

/** What a damaged JSON file often is. */
function why(text: string): string {
  if (text.startsWith('version https://git-lfs'))
    return "It is a Git LFS pointer: run 'git lfs pull' where it came from.";
  if (/^\s*<(!doctype|html)/i.test(text)) return 'It is a web page: the download failed. Fetch the file again.';
  return 'The file is damaged or incomplete: fetch it again.';
}
