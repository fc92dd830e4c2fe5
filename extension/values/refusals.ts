/** Why a value cannot be shown, in words: what a reader in the program answered instead of numbers. */
import { UserError } from '../../backend/protocol/errors.ts';
import { mostShown } from '../../backend/protocol/values/value.ts';
import { mostCounted } from './limits.ts';

/** `detail` is what the reader says about it; see the readers. */
export function refusalError(expression: string, refused: string, detail: unknown): UserError {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const it = `\`${expression}\``;
  const [message, hint] = words(refused, it, text(detail), detail);
  return new UserError('data', message, hint);
}

function words(refused: string, it: string, said: string, detail: unknown): [message: string, hint: string] {
  switch (refused) {
    case 'notArray':
      return [`${it} is no array of numbers but ${said}`, 'Name an array, a tensor or nested lists of numbers.'];
    case 'notNumbers':
      return [`${it} holds ${said}, which are no numbers`, 'Name one of its parts, such as a field or an element.'];
    case 'ragged':
      return [`${it} is no array: its rows differ in length`, 'Name one row.'];
    case 'empty':
      return [`${it} is empty: its shape is ${said}`, ''];
    case 'axes':
      return [`${it} has ${lengthOf(detail)} axes: ${said}`, 'At most 5 are shown: add an index, such as [0].'];
    case 'sparse':
      return [`${it} is stored as ${said}, not number by number`, 'Look at its to_dense().'];
    case 'quantized':
      return [`${it} is quantized (${said})`, 'Look at its dequantize(), or at its int_repr().'];
    case 'distributed':
      return [
        `${it} is a ${said}, spread over processes that would all have to answer`,
        'Look at the part of this process: its to_local().',
      ];
    case 'noData':
      return [`${it} has no numbers: it is a ${said} without storage`, 'Look at it where the program computes it.'];
    case 'capturing':
      return [
        `${said} is recording a CUDA graph, and reading ${it} would spoil it`,
        'Look at it before or after the capture.',
      ];
    case 'large':
      return [
        `${it} is too large to be shown: ${said} numbers`,
        `Add an index or a step, such as [0] or [::4]; a picture has at most ${mostShown} numbers, and ${mostCounted} are converted.`,
      ];
    case 'largeList':
      return [`${it} is a list of ${said} numbers, too long to be walked through`, 'Name a part of it, or an array.'];
    case 'shape':
      return [
        `${it} does not have that shape: ${sizes(detail)}`,
        'Give sizes whose product is the number of elements.',
      ];
    case 'strided':
      return [`${it} is a view with gaps, which has no other shape`, 'Look at it in its own shape.'];
    case 'changed':
      return [`${it} has another shape now: ${said}`, 'It is shown anew.'];
    default:
      return [`${it} could not be read: ${said}`, 'The program itself is unharmed.'];
  }
}

function lengthOf(detail: unknown): number {
  return Array.isArray(detail) ? detail.length : 0;
}

function sizes(detail: unknown): string {
  const [count, shape] = Array.isArray(detail) ? detail : [];
  return `it has ${count} numbers, and ${JSON.stringify(shape)} needs another count`;
}
