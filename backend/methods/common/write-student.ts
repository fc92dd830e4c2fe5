/** A distilled generator as a model folder: its own UNet and dmd.json; everything else is the teacher's, named as its base. */
import fs from 'node:fs';
import path from 'node:path';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { DmdInfo } from '../../models/text/dmd-info.ts';
import type { TextTeacher } from '../../models/text/text-teacher.ts';
import { writeDiffusersFolder } from '../../weights/diffusers/index.ts';

/** @returns the folder. @throws UserError('io'), or UserError('weights') when a value does not fit float16 */
export async function writeStudent(
  folder: string,
  { model, unetConfig, prediction, schedule }: TextTeacher,
  weights: ReadonlyMap<string, TensorData>,
  {
    step,
    teacherSha256,
    again,
  }: { readonly step: number; readonly teacherSha256: string; readonly again: readonly number[] },
  half: boolean,
): Promise<string> {
  const { _class_name: className, _diffusers_version: _, ...config } = unetConfig;
  const info: DmdInfo = {
    base: path.relative(real(folder), fs.realpathSync(model.folder.path)),
    role: 'generator',
    timestep: schedule.timesteps - 1,
    ...(again.length > 0 ? { again } : {}),
    prediction,
  };
  const unet = { className: String(className), config, tensors: weights };
  await writeDiffusersFolder(folder, { unet, dmd: { ...info, step, teacherSha256 } }, { half });
  return folder;
}

/** The real path of a folder that may not be there yet. */
function real(folder: string): string {
  const { dir, base } = path.parse(path.resolve(folder));
  return path.join(fs.realpathSync(dir), base);
}
