/** Where a number that is not finite came from, as a stack trace tells it. */
import type { Origin } from '../protocol/debug-requests.ts';
import { tensorText } from './one-line.ts';

/** From the operation outwards, as stack traces go. */
export function traceOf({ stage, tensor, operation }: Origin, stopped: string | null): string {
  const at = operation
    ? [
        `at ${operation.operation} in ${operation.scope || 'the stage itself'}`,
        ...operation.inputs.map((input) => `     of ${tensorText(input)}`),
        `     gave ${tensorText(operation.output)}`,
      ]
    : [];
  return [
    ...at,
    `at ${tensor}`,
    `at stage ${stage}`,
    ...(stopped && stopped !== stage ? [`seen after ${stopped}`] : []),
  ].join('\n');
}
