/** Understands what a reader in the program answered (python/reader.ts says how it is written). */
import { z } from '../../backend/protocol/config/zod.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { type ArrayValue, statisticNames } from '../../backend/protocol/values/value.ts';
import { l10n } from '../l10n.ts';
import { refusalError } from './refusals.ts';

const sizes = z.array(z.int().min(0)).max(5);
const headSchema = z.union([
  z.object({ refused: z.string(), detail: z.unknown() }),
  z.object({
    shape: sizes,
    dtype: z.string(),
    device: z.string(),
    library: z.string(),
    counted: z.boolean(),
    format: z.enum(['f4', 'f8']).optional(),
  }),
]);

const statisticsBytes = 8 * statisticNames.length;

/**
 * @param result of the debugger: quoted as its language does, or not
 * @throws UserError with what the reader refused, or what came instead of an answer
 */
export function understand(expression: string, result: string): ArrayValue {
  const [, head64, numbers64] = result.match(/^['"`]?dmd1:([\w+/=]*):([\w+/=]*):\.*end['"`]?$/) ?? [];
  if (head64 === undefined || numbers64 === undefined) throw notUnderstood(expression, result);
  const bytes = Buffer.from(numbers64, 'base64');
  const head = headSchema.safeParse(parseJson(Buffer.from(head64, 'base64').toString()));
  if (!head.success) throw notUnderstood(expression, result);
  if ('refused' in head.data) throw refusalError(expression, head.data.refused, head.data.detail);
  const { format, ...array } = head.data;
  if (bytes.length < statisticsBytes) throw notUnderstood(expression, result);
  return {
    ...array,
    statistics: new Float64Array(aligned(bytes.subarray(0, statisticsBytes))),
    numbers: format === undefined ? null : numbersOf(bytes.subarray(statisticsBytes), format),
  };
}

function numbersOf(bytes: Uint8Array, format: 'f4' | 'f8'): Float32Array | Float64Array {
  return format === 'f4' ? new Float32Array(aligned(bytes)) : new Float64Array(aligned(bytes));
}

function aligned(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notUnderstood(expression: string, result: string): UserError {
  if (/^['"`]?dmd1:/.test(result)) {
    const message = l10n.t('the debugger cut off the numbers of `{0}` after {1} characters', expression, result.length);
    const hint = l10n.t('It does not support the context `clipboard`: look at a smaller part.');
    return new UserError('data', message, hint);
  }
  return new UserError('data', l10n.t('`{0}` cannot be evaluated here: {1}', expression, exceptionText(result)), '');
}

/** debugpy answers with an exception as Python writes it, e.g. `NameError("name 'x' is not defined")`. */
function exceptionText(result: string): string {
  const [, name, , text] = result.match(/^([\w.]+)\((['"])((?:\\.|(?!\2).)*)\2/) ?? [];
  if (name !== undefined && text !== undefined) return `${name}: ${text.replace(/\\(.)/g, '$1')}`;
  return result.length > 200 ? `${result.slice(0, 200)}...` : result;
}
