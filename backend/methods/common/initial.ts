/** A generator that a run begins with in the teacher's place, such as one that another method made: its weights, held against the network. */
import type { InputWork } from '../../models/input-file.ts';
import { modelPath, openModel } from '../../models/model-file.ts';
import { isTextModel } from '../../models/text/is-text-model.ts';
import { expectedOf, openTextModel } from '../../models/text/text-model.ts';
import { componentInput } from '../../models/text/text-teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { componentOf, textToImageClasses } from '../../weights/diffusers/index.ts';
import type { DistillTeacher, InitialGenerator } from './teacher.ts';

/** The key of a config that names it. */
export const initialKey = 'generator.initial';

/** Undefined where the generator begins as the teacher. Throws UserError that names the key or the file. */
export async function openInitial(
  { generator, text, network }: Pick<DistillConfig, 'generator' | 'text' | 'network'>,
  teacher: DistillTeacher,
  work: InputWork,
): Promise<InitialGenerator | undefined> {
  const { initial: path } = generator;
  if (path === undefined) return undefined;
  if (teacher.generator.adapts) {
    const message = `${initialKey}: adapters of rank ${text.lora.generator} lie on the teacher's own weights`;
    throw new UserError('config', message, 'Remove the key, or text.lora.generator.');
  }
  const ofText = teacher.model.conditions.context !== undefined;
  if (isTextModel(modelPath(path)) !== ofText) {
    const message = `${initialKey}: ${path} ${ofText ? 'is not the folder of a text-to-image model' : 'is a text-to-image model'}`;
    throw new UserError('config', message, 'Name a generator of the same kind as the teacher.');
  }
  return ofText ? openTextInitial(path, teacher, work) : openEdmInitial(path, teacher, network);
}

async function openEdmInitial(
  path: string,
  teacher: DistillTeacher,
  network: DistillConfig['network'],
): Promise<InitialGenerator> {
  const model = await openModel(path, { network });
  refuseOther(model.network.layout, teacher, model.path);
  return { input: { path: model.path, sha256: model.sha256 }, readWeights: async () => model.weights };
}

/** Reads no weights yet. */
async function openTextInitial(path: string, teacher: DistillTeacher, work: InputWork): Promise<InitialGenerator> {
  const model = openTextModel(path);
  refuseOther(model.unet.layout, teacher, path);
  const input = await componentInput(componentOf(model.folder, 'unet', textToImageClasses.unet), work, initialKey);
  return { input, readWeights: () => model.readWeights('unet') };
}

function refuseOther(layout: Parameters<typeof expectedOf>[0], { generator }: DistillTeacher, path: string): void {
  const [found, wanted] = [expectedOf(layout), expectedOf(generator.layout)];
  const differs = (name: string) => found.get(name)?.join() !== wanted.get(name)?.join();
  const other = [...wanted.keys(), ...found.keys()].find(differs);
  if (other === undefined) return;
  const shapeIn = (of: typeof found) => (of.has(other) ? `[${of.get(other)!.join(', ')}]` : 'none');
  const message = `${initialKey}: ${path} is of another network: '${other}' is ${shapeIn(found)} there and ${shapeIn(wanted)} here`;
  throw new UserError(
    'config',
    message,
    'Name a generator that was distilled from this teacher, or from one of its kind.',
  );
}
