/** Matches the tensors of a file with what a network expects, by name and shape, without guessing. */
import { UserError } from '../protocol/errors.ts';
import { type Dtype, isFloating } from './stored-tensor.ts';

/** How many names of each kind an error shows. */
const shown = 3;

export interface SelectOptions {
  /** What the file holds the tensors as, where they do not say it themselves. */
  readonly dtypes?: ReadonlyMap<string, Dtype>;
  /** Names that may be in the file although nothing expects them. Default: `isDerivedBuffer`. */
  readonly ignore?: (name: string) => boolean;
  /** What to do about it, in the words of the file's kind. */
  readonly hint?: string;
}

const usualHint =
  'Check that the configuration (class, model_type, widths, resolution, label_dim) is the one of these weights.';

/** Buffers of the original networks that follow from the configuration: resampling filters, iDDPM's noise levels. */
function isDerivedBuffer(name: string): boolean {
  return name === 'u' || name === 'resample_filter' || name.endsWith('.resample_filter');
}

/**
 * The expected tensors, in the expected order. Throws UserError('weights') that counts the missing, unexpected and
 * mis-shaped tensors and names the first few of each, or names
 * one that holds whole numbers.
 * @param file what the error calls the source of the tensors
 */
export function selectTensors<T extends { readonly shape: readonly number[]; readonly dtype?: Dtype }>(
  tensors: ReadonlyMap<string, T>,
  expected: ReadonlyMap<string, readonly number[]>,
  file: string,
  { ignore = isDerivedBuffer, hint = usualHint, dtypes }: SelectOptions = {},
): Map<string, T> {
  const missing = [...expected.keys()].filter((name) => !tensors.has(name));
  const unexpected = [...tensors.keys()].filter((name) => !expected.has(name) && !ignore(name));
  const selected = new Map<string, T>();
  const misshapen: string[] = [];
  for (const [name, shape] of expected) {
    const tensor = tensors.get(name);
    if (!tensor) continue;
    selected.set(name, tensor);
    if (tensor.shape.join() !== shape.join()) {
      misshapen.push(`${name} [${tensor.shape.join(', ')}] where [${shape.join(', ')}] is needed`);
    }
  }
  refuseWholeNumbers(selected.keys(), (name) => selected.get(name)?.dtype ?? dtypes?.get(name), file);
  const problems = [list(missing, 'missing'), list(unexpected, 'unexpected'), list(misshapen, 'of another shape')];
  const found = problems.filter((problem) => problem !== '');
  if (found.length > 0) {
    throw new UserError('weights', `${file}: the tensors do not fit the network: ${found.join('; ')}`, hint);
  }
  return selected;
}

/**
 * Weights are no whole numbers: those of a quantised network mean something only together with their scales. Throws
 * UserError('weights') that names one.
 */
export function refuseWholeNumbers(
  names: Iterable<string>,
  dtypeOf: (name: string) => Dtype | undefined,
  file: string,
): void {
  for (const name of names) {
    const dtype = dtypeOf(name);
    if (dtype === undefined || isFloating(dtype)) continue;
    const message = `${file}: ${name} holds whole numbers (${dtype}), which are no weights: is the network quantised?`;
    throw new UserError('weights', message, 'Take the weights in float16, bfloat16 or float32.');
  }
}

function list(names: readonly string[], what: string): string {
  if (names.length === 0) return '';
  const more = names.length > shown ? `, and ${names.length - shown} more` : '';
  return `${names.length} ${what} (${names.slice(0, shown).join(', ')}${more})`;
}
