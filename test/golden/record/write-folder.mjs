// Reads the tiny pipeline that diffusers saved and writes it anew, as float32 and float16: for written_folder.py.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTextModel } from '../../../backend/models/text/text-model.ts';
import {
  componentOf,
  configOf,
  modelFile,
  readText,
  writeDiffusersFolder,
} from '../../../backend/weights/diffusers/index.ts';

const model = openTextModel(fileURLToPath(new URL('../tiny-diffusion/model', import.meta.url)));
const { folder } = model;

async function network(name) {
  const component = componentOf(folder, name);
  const { _class_name, _diffusers_version, architectures, ...config } = configOf(component);
  return { className: component.className, config, tensors: await model.readWeights(name) };
}

const { _class_name: className, ...scheduler } = configOf(componentOf(folder, 'scheduler'), 'scheduler_config.json');
const tokenizer = Object.fromEntries(
  ['tokenizer.json', 'tokenizer_config.json'].map((name) => [
    name,
    readText(modelFile(folder.path, `tokenizer/${name}`)),
  ]),
);
for (const dtype of ['F32', 'F16']) {
  await writeDiffusersFolder(
    join(process.argv[2], dtype),
    {
      unet: await network('unet'),
      vae: await network('vae'),
      text_encoder: await network('text_encoder'),
      tokenizer,
      scheduler: { className, config: scheduler },
    },
    { half: dtype === 'F16' },
  );
}
