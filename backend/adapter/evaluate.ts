/** The requests `evaluate`, `setExpression` and `completions`: the run's expression language (docs/debugger.md) at the editor's places. */
import { z } from '../protocol/config/zod.ts';
import { debugRequests, type TensorLine } from '../protocol/debug-requests.ts';
import { numberText } from './one-line.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';
import { valueBody } from './values.ts';

/** Numbers that a copied tensor has at most; larger ones are copied as their one line. */
const mostCopied = 65_536;

const completionTypes = {
  tensor: 'variable',
  number: 'value',
  setting: 'property',
  function: 'function',
  property: 'field',
} as const;

export function evaluateHandlers(target: Target): Handlers {
  return {
    ...checked(
      'evaluate',
      z.object({ expression: z.string(), context: z.string().optional() }),
      async ({ expression, context }, { signal }) => {
        const { debuggee, client } = target;
        const assigns = context === 'repl';
        const value = await client.progress.during(expression, signal, (both) =>
          debuggee.ask(debugRequests['debug/evaluate'], { expression, assigns }, both),
        );
        if (context === 'clipboard' && value.tensor && count(value.tensor) <= mostCopied) {
          return { result: await copied(target, value.tensor, signal), variablesReference: 0 };
        }
        if (assigns && /(^|[^=!<>])=([^=]|$)/.test(expression)) target.changed();
        const { value: result, ...rest } = valueBody(target, value);
        return { result, ...rest };
      },
    ),
    ...checked(
      'setExpression',
      z.object({ expression: z.string(), value: z.string() }),
      async ({ expression, value }, { signal }) => {
        const set = await target.debuggee.ask(debugRequests['debug/assign'], { target: expression, value }, signal);
        target.changed();
        return valueBody(target, set);
      },
    ),
    ...checked(
      'completions',
      z.object({ text: z.string(), column: z.int(), line: z.int().optional() }),
      async ({ text, column }, { signal }) => {
        const at = Math.min(Math.max(0, target.client.fromLine(column) - 1), text.length);
        const found = await target.debuggee.ask(debugRequests['debug/complete'], { text, at }, signal);
        const { start, items } = found;
        const targets = items.map(({ label, kind }) => ({
          ...{ label, type: completionTypes[kind] },
          ...{ start: target.client.line(start + 1), length: at - start },
        }));
        return { targets };
      },
    ),
  };
}

const count = ({ shape }: TensorLine) => shape.reduce((size, length) => size * length, 1);

/** As JSON has it, but for numbers that JSON has not. */
async function copied(target: Target, { name, shape }: TensorLine, signal: AbortSignal): Promise<string> {
  const { tensor } = await target.debuggee.ask(debugRequests['debug/tensor'], { tensor: name, path: [] }, signal);
  const nested = (axis: number, from: number, size: number): string => {
    if (axis === shape.length) return numberText(tensor.data[from]!);
    const each = size / shape[axis]!;
    const rows = Array.from({ length: shape[axis]! }, (_, i) => nested(axis + 1, from + i * each, each));
    return `[${rows.join(', ')}]`;
  };
  return nested(0, 0, tensor.data.length);
}
