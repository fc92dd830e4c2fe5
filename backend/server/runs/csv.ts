/** Curves as CSV: one line per step, one column per tag, an empty cell where a tag has nothing at a step. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Curve } from '../../protocol/rpc/index.ts';

const linesPerSlice = 5000;

/** UTF-8 with CRLF, as RFC 4180 has it. Long ones are made in slices, so that other work goes on. */
export async function csvOf(curves: readonly Curve[], signal: AbortSignal): Promise<Uint8Array> {
  const steps = mergedSteps(curves);
  const at = curves.map(() => 0);
  const parts: Buffer[] = [Buffer.from(line(['step', ...curves.map(({ tag }) => quoted(tag))]))];
  for (let from = 0; from < steps.length; from += linesPerSlice) {
    const lines = Array.from(steps.subarray(from, from + linesPerSlice), (step) => {
      const cells = curves.map((curve, i) => (curve.steps[at[i]!] === step ? String(curve.values[at[i]!++]) : ''));
      return line([String(step), ...cells]);
    });
    parts.push(Buffer.from(lines.join('')));
    await turn();
    signal.throwIfAborted();
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Every step that any curve has, ascending. */
function mergedSteps(curves: readonly Curve[]): Float64Array {
  const all = new Float64Array(curves.reduce((sum, { steps }) => sum + steps.length, 0));
  let length = 0;
  for (const { steps } of curves) {
    all.set(steps, length);
    length += steps.length;
  }
  all.sort();
  return all.filter((step, i) => i === 0 || step !== all[i - 1]);
}

function line(cells: readonly string[]): string {
  return `${cells.join(',')}\r\n`;
}

/** A name from a file is text, never a formula of a spreadsheet. */
function quoted(tag: string): string {
  const text = /^[=+\-@\t\r]/.test(tag) ? `'${tag}` : tag;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
