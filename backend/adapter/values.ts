/**
 * Numbers and tensors as variables of the debug protocol. Nothing below a tensor is read before somebody opens it, and then a page
 * at a time.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { NumberLine, Statistics, TensorLine, Value } from '../protocol/debug-requests.ts';
import { memoryReference } from './memory-reference.ts';
import { numberText, shapeText, statisticsText, tensorText } from './one-line.ts';
import type { Target } from './target.ts';

/** The word that menus of the editor know a variable by. */
export interface ShownVariable extends DebugProtocol.Variable {
  readonly __vscodeVariableMenuContext?: 'tensor';
}

/** @param name as it is shown; tensors are asked for by their own */
export function tensorVariable(target: Target, name: string, tensor: TensorLine): ShownVariable {
  if (tensor.statistics !== null) return summedUp(target, name, tensor);
  return {
    ...{ name, value: tensorText(tensor), type: tensor.type, evaluateName: tensor.name },
    variablesReference: target.nodes.add({ kind: 'summary', name, tensor }),
    presentationHint: { kind: 'data', lazy: true },
  };
}

/** With its statistics, and its rows below it. */
export function summedUp(target: Target, name: string, tensor: TensorLine): ShownVariable {
  return {
    ...{ name, value: tensorText(tensor), type: tensor.type, evaluateName: tensor.name },
    ...below(target, tensor, []),
    memoryReference: memoryReference(target.stop.stop, tensor.name),
    presentationHint: { kind: 'data', ...readOnly(tensor.writable) },
    ...(tensor.shape.length > 0 ? { __vscodeVariableMenuContext: 'tensor' } : {}),
  };
}

/** One row of a tensor, or one of its numbers. */
export function rowVariable(
  target: Target,
  tensor: TensorLine,
  path: readonly number[],
  row: { readonly shape: readonly number[]; readonly number: number | null; readonly statistics: Statistics | null },
): ShownVariable {
  const { shape, number, statistics } = row;
  const text = statistics ? `${shapeText(shape)} ${statisticsText(statistics)}` : shapeText(shape);
  return {
    name: `[${path.at(-1)}]`,
    value: number === null ? text : numberText(number),
    type: tensor.type,
    evaluateName: `${tensor.name}[${path.join(', ')}]`,
    ...(number === null ? below(target, tensor, path) : { variablesReference: 0 }),
    presentationHint: { kind: 'data', ...readOnly(tensor.writable) },
    ...(number === null ? { __vscodeVariableMenuContext: 'tensor' } : {}),
  };
}

export function numberVariable(line: NumberLine): ShownVariable {
  const { name, value, overridden, writable, words } = line;
  const text = (number: number) => words?.[number] ?? numberText(number);
  const kind = words ? `one of ${words.join(', ')}` : 'number';
  return {
    ...{ name, value: value === null ? 'not known yet' : text(value), variablesReference: 0 },
    // `memory/resident MB` is no name in an expression.
    ...(/^[\w.]+$/.test(name) ? { evaluateName: name } : {}),
    type: overridden === null ? kind : `${kind}, by itself ${text(overridden)}`,
    presentationHint: { kind: 'data', ...readOnly(writable) },
  };
}

/** A number with what can be waited for of it. */
export function waitable(target: Target, line: NumberLine): ShownVariable {
  const shown = numberVariable(line);
  const { name, value } = line;
  if (value === null || !shown.evaluateName) return shown;
  return { ...shown, variablesReference: target.nodes.add({ kind: 'waits', name, value }), namedVariables: 3 };
}

/** What an expression came to, as the answers to `evaluate`, `setVariable` and `setExpression` carry it. */
export function valueBody(target: Target, { text, number, tensor }: Value) {
  const base = { value: text, type: tensor ? tensor.type : 'number', variablesReference: 0 };
  if (!tensor || !target.stopped) return { ...base, value: number === null ? text : numberText(number) };
  const shown = tensor.statistics === null ? text : tensorText(tensor);
  return {
    ...{ ...base, value: shown },
    ...below(target, tensor, []),
    memoryReference: memoryReference(target.stop.stop, tensor.name),
  };
}

function below(target: Target, tensor: TensorLine, path: readonly number[]) {
  const rows = tensor.shape[path.length];
  if (rows === undefined) return { variablesReference: 0 };
  return {
    variablesReference: target.nodes.add({ kind: 'tensor', tensor, path }),
    ...{ indexedVariables: rows, namedVariables: 0 },
  };
}

const readOnly = (writable: boolean): { attributes?: string[] } => (writable ? {} : { attributes: ['readOnly'] });
