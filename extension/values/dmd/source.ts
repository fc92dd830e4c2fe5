/** Tensors of an iteration that our own debugger has stopped: it has them, so it is asked for them, not for an expression. */
import { UserError } from '../../../backend/protocol/errors.ts';
import {
  type ReadValueArguments,
  readValueBody,
  readValueCommand,
} from '../../../backend/protocol/values/dmd-request.ts';
import { statisticNames } from '../../../backend/protocol/values/value.ts';
import { l10n } from '../../l10n.ts';
import { evaluationError } from '../evaluate.ts';
import type { ValueSource } from '../value-source.ts';

export const dmdSource: ValueSource = {
  changes: () => undefined, // its expressions have no assignment
  async read({ type, frameId, request }, { expression, shape, count, cut }) {
    const args: ReadValueArguments = {
      expression,
      shape: shape && [...shape],
      count,
      cut,
      ...(frameId !== undefined && { frameId }),
    };
    const answer = await request(readValueCommand, args).catch((error: unknown) => {
      throw evaluationError(type, expression, error instanceof Error ? error.message : String(error));
    });
    const body = readValueBody.safeParse(answer);
    if (!body.success) throw new UserError('data', l10n.t('the debugger {0} gave no value of `{1}`', type, expression));
    const { statistics, numbers, ...array } = body.data;
    return {
      ...array,
      library: 'dmd',
      counted: statistics !== null,
      statistics: statistics === null ? new Float64Array(statisticNames.length).fill(Number.NaN) : doubles(statistics),
      numbers: numbers === null ? null : floats(numbers),
    };
  },
};

function floats(base64: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
}

function doubles(base64: string): Float64Array {
  return new Float64Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
}
