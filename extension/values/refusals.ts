/** Why a value cannot be shown, in words: what a reader in the program answered instead of numbers. */
import { UserError } from '../../backend/protocol/errors.ts';
import { mostShown } from '../../backend/protocol/values/value.ts';
import { l10n } from '../l10n.ts';
import { mostCounted } from './limits.ts';

/** `detail` is what the reader says about it; see the readers. */
export function refusalError(expression: string, refused: string, detail: unknown): UserError {
  const text = (value: unknown) => (typeof value === 'string' ? value : String(JSON.stringify(value)));
  const it = `\`${expression}\``;
  const [message, hint] = words(refused, it, text(detail), detail);
  return new UserError('data', message, hint);
}

function words(refused: string, it: string, said: string, detail: unknown): [message: string, hint: string] {
  const { t } = l10n;
  switch (refused) {
    case 'notArray':
      return [
        t('{0} is no array of numbers but {1}', it, said),
        t('Name an array, a tensor or nested lists of numbers.'),
      ];
    case 'notNumbers':
      return [
        t('{0} holds {1}, which are no numbers', it, said),
        t('Name one of its parts, such as a field or an element.'),
      ];
    case 'ragged':
      return [t('{0} is no array: its rows differ in length', it), t('Name one row.')];
    case 'empty':
      return [t('{0} is empty: its shape is {1}', it, said), ''];
    case 'axes':
      return [
        t('{0} has {1} axes: {2}', it, lengthOf(detail), said),
        t('At most 5 are shown: add an index, such as [0].'),
      ];
    case 'sparse':
      return [t('{0} is stored as {1}, not number by number', it, said), t('Look at its to_dense().')];
    case 'quantized':
      return [t('{0} is quantized ({1})', it, said), t('Look at its dequantize(), or at its int_repr().')];
    case 'distributed':
      return [
        t('{0} is a {1}, spread over processes that would all have to answer', it, said),
        t('Look at the part of this process: its to_local().'),
      ];
    case 'noData':
      return [
        t('{0} has no numbers: it is a {1} without storage', it, said),
        t('Look at it where the program computes it.'),
      ];
    case 'capturing':
      return [
        t('{1} is recording a CUDA graph, and reading {0} would spoil it', it, said),
        t('Look at it before or after the capture.'),
      ];
    case 'large':
      return [
        t('{0} is too large to be shown: {1} numbers', it, said),
        t(
          'Add an index or a step, such as [0] or [::4]; a picture has at most {0} numbers, and {1} are converted.',
          mostShown,
          mostCounted,
        ),
      ];
    case 'largeList':
      return [
        t('{0} is a list of {1} numbers, too long to be walked through', it, said),
        t('Name a part of it, or an array.'),
      ];
    case 'shape':
      return [
        t('{0} does not have that shape: it has {1} numbers, and {2} needs another count', it, ...sizes(detail)),
        t('Give sizes whose product is the number of elements.'),
      ];
    case 'strided':
      return [t('{0} is a view with gaps, which has no other shape', it), t('Look at it in its own shape.')];
    case 'changed':
      return [t('{0} has another shape now: {1}', it, said), t('It is shown anew.')];
    default:
      return [t('{0} could not be read: {1}', it, said), t('The program itself is unharmed.')];
  }
}

function lengthOf(detail: unknown): number {
  return Array.isArray(detail) ? detail.length : 0;
}

/** How many numbers there are, and the shape that was asked for. */
function sizes(detail: unknown): [string, string] {
  const [count, shape] = Array.isArray(detail) ? detail : [];
  return [String(count), String(JSON.stringify(shape))];
}
