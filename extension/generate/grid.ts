/** A grid of images: one for every pair of values of two settings, everything else as the form has it. Knows no `vscode`. */
import { UserError } from '../../backend/protocol/errors.ts';
import {
  type Axis,
  type Form,
  largestGuidance,
  mostImages,
  mostSteps,
  parseSize,
} from '../../backend/protocol/panels/generate-form.ts';
import type { GenerateSettings, ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { parseSeed } from '../../backend/protocol/seed.ts';
import { settingsOf } from './form.ts';

/** Row by row. Throws UserError('usage') for a value that is none, and for a setting that the model does not have. */
export function cellsOf(form: Form, models: readonly ModelInfo[]): GenerateSettings[] {
  const { x, y } = form.grid;
  const axes = y ? [x, y] : [x];
  if (y?.setting === x.setting) throw new UserError('usage', 'Both sides of the grid go through the same setting');
  for (const { setting, values } of axes) {
    if (values.length === 0) throw new UserError('usage', `The grid has no values of ${setting}`, 'Give at least one.');
  }
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > mostImages) {
    throw new UserError('usage', `The grid has ${count} images`, `Take fewer values: ${mostImages} are the most.`);
  }
  const base: Form = { ...form, asGrid: false, beside: false, count: 1 };
  const rows = (y?.values ?? ['']).map((row) => {
    const inRow = y ? withValue(base, y, row) : base;
    return x.values.map((column) => settingsOf(withValue(inRow, x, column), models)[0]!);
  });
  const columns = x.values.map((_, c) => rows.map((row) => row[c]!));
  refuseIdle(x, rows);
  if (y) refuseIdle(y, columns);
  return rows.flat();
}

/** @param lines the cells along the axis, once for every value of the other one */
function refuseIdle({ setting, values }: Axis, lines: readonly (readonly GenerateSettings[])[]): void {
  if (new Set(values).size < values.length) {
    throw new UserError('usage', `The grid has the same ${setting} twice`, 'Give every value once.');
  }
  const differs = lines.some((line) => new Set(line.map((settings) => JSON.stringify(settings))).size > 1);
  if (values.length < 2 || differs) return;
  const message = `The images of this model do not depend on ${setting}`;
  throw new UserError('usage', message, 'Choose another setting for the grid, or another model.');
}

function withValue(form: Form, { setting }: Axis, text: string): Form {
  const value = parsed(setting, text);
  if (value !== null) return { ...form, [setting]: value };
  throw new UserError('usage', `The grid takes no ${setting} of ${text.trim() || 'nothing'}`);
}

/** Null for what is none. */
function parsed(setting: Axis['setting'], text: string): unknown {
  const number = /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : Number.NaN;
  const whole = Number.isInteger(number) ? number : null;
  switch (setting) {
    case 'steps':
      return whole !== null && whole >= 1 && whole <= mostSteps ? whole : null;
    case 'guidance':
      return number <= largestGuidance ? number : null;
    case 'class':
      return whole;
    case 'seed':
      return parseSeed(text);
    case 'size':
      return parseSize(text);
    default:
      return text;
  }
}
