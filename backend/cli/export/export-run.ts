/** The work of `dmd export` for a run folder: the generator of a checkpoint, by one of its averages, as a model or as ONNX. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import { writeSavedModel } from '../../runs/saved-model.ts';
import type { Output } from '../output.ts';
import type { ExportOptions } from './options.ts';

/**
 * @param exportOnnx what exports a model's file or folder as ONNX
 * @returns the exit code
 */
export async function exportRun(
  run: string,
  options: ExportOptions,
  output: Output,
  exportOnnx: (model: string, options: ExportOptions) => Promise<number>,
): Promise<number> {
  const { step, ema, half = false, format = 'onnx', out } = options;
  const choice = { ...(step === undefined ? {} : { step }), ...(ema === undefined ? {} : { ema }) };
  const nameOf = (at: number) => `${basename(resolve(run))}-step-${at}${ema === undefined ? '' : `-ema-${ema}`}`;
  const told = (at: number) =>
    output.line(`${run}: the generator of step ${at}, ${ema === undefined ? 'as it is sampled' : `EMA ${ema}`}`);
  if (format === 'model') {
    const saved = await writeSavedModel(run, choice, (at) => ({ ...placeOf(out ?? nameOf(at)), half }));
    told(saved.step);
    output.event('export', { file: saved.path, step: saved.step, ema: ema ?? null });
    output.line(`${saved.path}: what dmd sample, dmd eval and the generate panel take`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'dmd-export-'));
  try {
    const saved = await writeSavedModel(run, choice, () => ({ folder, name: 'generator', half }));
    told(saved.step);
    const ending = saved.path.endsWith('.safetensors') ? '.onnx' : '-onnx';
    return await exportOnnx(saved.path, { ...options, out: out ?? nameOf(saved.step) + ending });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A model that is there already is never replaced. */
function placeOf(out: string): { readonly folder: string; readonly name: string } {
  const path = resolve(out).replace(/\.safetensors$/, '');
  const taken = [path, `${path}.safetensors`].find(existsSync);
  if (taken !== undefined) throw new UserError('usage', `${taken} is there already`, 'Choose another name with --out.');
  return { folder: dirname(path), name: basename(path) };
}
