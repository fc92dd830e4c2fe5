/** ONNX pipelines as Optimum lays them out: they run as they are and give what the weights give. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDevice } from '../../backend/engine/open.ts';
import { Graph } from '../../backend/graph/graph.ts';
import { emitOnnx } from '../../backend/graph/onnx/emit.ts';
import { constantParameters } from '../../backend/graph/parameters.ts';
import { openTextModel } from '../../backend/models/text/text-model.ts';
import { TextPipeline } from '../../backend/sampling/text/text-pipeline.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const tiny = fileURLToPath(new URL('../golden/tiny-diffusion/model', import.meta.url));
const scratch = scratchFolder();
const cpu = await openDevice('cpu', 1);
after(() => cpu.dispose());
let folder = '';

/** Declares an input as int64, as exporters do for token ids: the type's number follows the name. */
function asInt64(model: Uint8Array, input: string): Uint8Array {
  const bytes = Buffer.from(model);
  const type = bytes.lastIndexOf(input) + input.length + 4;
  assert.equal(bytes.readUInt16BE(type), 0x0801, 'elem_type float');
  bytes[type + 1] = 7;
  return bytes;
}

{
  const { textEncoder, unet, vae, readWeights } = openTextModel(tiny);
  folder = scratch.path('onnx');
  for (const part of ['scheduler', 'tokenizer']) cpSync(join(tiny, part), join(folder, part), { recursive: true });
  const write = (part: string, config: string, model: Uint8Array) => {
    mkdirSync(join(folder, part));
    cpSync(join(tiny, config, 'config.json'), join(folder, part, 'config.json'));
    writeFileSync(join(folder, part, 'model.onnx'), model);
  };
  const text = new Graph();
  const ids = text.input('input_ids', [1, 16]);
  const embedded = textEncoder.encode(constantParameters(text, await readWeights('text_encoder')), ids);
  text.output('last_hidden_state', embedded);
  write('text_encoder', 'text_encoder', asInt64(emitOnnx(text), 'input_ids'));
  const denoiser = new Graph();
  const sample = denoiser.input('sample', [2, 4, 8, 8]);
  const timestep = denoiser.input('timestep', [2]);
  const context = denoiser.input('encoder_hidden_states', [2, 16, 16]);
  const weights = constantParameters(denoiser, await readWeights('unet'));
  denoiser.output('out_sample', unet.predict(weights, sample, timestep, context));
  write('unet', 'unet', emitOnnx(denoiser));
  const decoder = new Graph();
  const latents = decoder.input('latent_sample', [1, 4, 8, 8]);
  decoder.output('sample', vae.decode(constantParameters(decoder, await readWeights('vae')), latents));
  write('vae_decoder', 'vae', emitOnnx(decoder));
  const index = JSON.parse(readFileSync(join(tiny, 'model_index.json'), 'utf8')) as Record<string, unknown>;
  const onnx = ['optimum.onnxruntime.modeling_diffusion', 'ORTModel'];
  const { vae: _, ...rest } = index;
  const parts = { text_encoder: onnx, unet: onnx, vae_decoder: onnx };
  writeFileSync(join(folder, 'model_index.json'), JSON.stringify({ ...rest, ...parts }));
}

test('the pixels are those of the weights', async () => {
  const request = { prompt: 'the red cat', seeds: [4], steps: 3, guidance: 5 };
  const pipelines = [tiny, folder].map((name) => TextPipeline.open(name, { engine: cpu, threads: 1 }));
  const [weights, onnx] = [await pipelines[0]!.draw(request), await pipelines[1]!.draw(request)];
  weights.images.data.forEach((value, i) => {
    assert.ok(Math.abs(value - onnx.images.data[i]!) < 1e-3, `${value} and ${onnx.images.data[i]}`);
  });
  for (const pipeline of pipelines) await pipeline.dispose();
});

test('a tiny decoder stands beside ONNX files as beside weights', async () => {
  const decoder = fileURLToPath(new URL('../golden/tiny-decoder/model', import.meta.url));
  const request = { prompt: 'the red cat', seeds: [4], steps: 1, guidance: 1, decoder };
  const pipelines = [tiny, folder].map((name) => TextPipeline.open(name, { engine: cpu, threads: 1 }));
  const [weights, onnx] = [await pipelines[0]!.draw(request), await pipelines[1]!.draw(request)];
  weights.images.data.forEach((value, i) => {
    assert.ok(Math.abs(value - onnx.images.data[i]!) < 1e-3, `${value} and ${onnx.images.data[i]}`);
  });
  for (const pipeline of pipelines) await pipeline.dispose();
});

test('a file that is missing, is no ONNX, or takes other inputs is named', async () => {
  const draw = async () => {
    const pipeline = TextPipeline.open(folder, { engine: cpu, threads: 1 });
    try {
      await pipeline.draw({ prompt: '', seeds: [0], steps: 1, guidance: 2 });
    } finally {
      await pipeline.dispose();
    }
  };
  const [unet, decoder] = [join(folder, 'unet', 'model.onnx'), join(folder, 'vae_decoder', 'model.onnx')];
  renameSync(decoder, `${decoder}.kept`);
  await assert.rejects(draw(), refusal(/vae_decoder\/model.onnx is missing/));
  cpSync(unet, decoder);
  await assert.rejects(draw(), refusal(/vae_decoder\/model.onnx has no input 'latent_sample', but sample, timestep/));
  writeFileSync(decoder, 'no model');
  await assert.rejects(draw(), refusal(/vae_decoder\/model.onnx cannot be run/));
  rmSync(decoder);
  renameSync(`${decoder}.kept`, decoder);
  await draw();
});
