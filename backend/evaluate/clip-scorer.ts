/** The CLIP score of pictures and their prompts, given a CLIP folder as transformers writes it. */
import { basename, join, resolve } from 'node:path';
import type { Engine, Program } from '../engine/engine.ts';
import { Graph } from '../graph/graph.ts';
import { constantParameters } from '../graph/parameters.ts';
import { sizeOf, type TensorData } from '../graph/tensor-data.ts';
import { type ClipProcessor, clipImages, clipProcessor, clipScores } from '../metrics/clip-score.ts';
import { type ClipModel, createClipModel } from '../nets/clip-vision.ts';
import { UserError } from '../protocol/errors.ts';
import { ClipTokenizer } from '../text/index.ts';
import { chooseWeights, modelFile, readJsonObject } from '../weights/diffusers/index.ts';
import { loadWeights } from '../weights/load.ts';
import { selectTensors } from '../weights/select.ts';
import type { PromptScorer } from './evaluate.ts';

/** Pictures and prompts per network call. */
const batch = 10;

export interface ClipScorer extends PromptScorer {
  dispose(): Promise<void>;
}

/**
 * @param folder config.json, model.safetensors or pytorch_model.bin, the tokenizer's files, preprocessor_config.json if there
 * @throws UserError that names the file
 */
export async function openClipScorer(engine: Engine, folder: string): Promise<ClipScorer> {
  const config = modelFile(folder, 'config.json');
  if (!config) {
    const hint = 'Give a folder such as a download of openai/clip-vit-base-patch32.';
    throw new UserError('weights', `${folder} is not a CLIP folder: it has no config.json`, hint);
  }
  const model = createClipModel(readJsonObject(config));
  const processorFile = modelFile(folder, 'preprocessor_config.json');
  const where = join(folder, 'preprocessor_config.json');
  const processor = clipProcessor(processorFile ? readJsonObject(processorFile) : {}, where);
  if (processor.side !== model.imageSide) {
    const message = `${where} makes images of ${processor.side} pixels, the network takes ${model.imageSide}`;
    throw new UserError('weights', message, 'Fetch the folder again.');
  }
  const tokenizer = await ClipTokenizer.fromFolder(folder, { maxTokens: model.maxTokens });
  if (tokenizer.vocabularySize > model.vocabularySize) {
    const message = `${folder}: the tokenizer has ${tokenizer.vocabularySize} tokens, the network ${model.vocabularySize}`;
    throw new UserError('weights', message, 'Fetch the folder again.');
  }
  const weights = await readWeights(folder, model);
  return compileScorer(engine, { model, weights, processor, tokenizer, name: basename(resolve(folder)) });
}

async function readWeights(folder: string, { layout }: ClipModel): Promise<Map<string, TensorData>> {
  const chosen = chooseWeights((name) => modelFile(folder, name) !== undefined);
  if (!chosen || chosen.isIndex) {
    const message = `${folder} has no model.safetensors`;
    throw new UserError('weights', message, 'CLIP is read from one file, model.safetensors or pytorch_model.bin.');
  }
  const file = modelFile(folder, chosen.file)!;
  const expected = new Map(layout.entries.map(({ name, shape }) => [name, shape]));
  // The scale of the training's logits is no part of an embedding; old files keep 0, 1, 2, ... as positions.
  const ignore = (name: string) => name === 'logit_scale' || name.endsWith('.position_ids');
  const hint = 'Check that the weights and config.json belong together.';
  const { tensors, dtypes } = await loadWeights(file);
  return selectTensors(tensors, expected, file, { ignore, hint, dtypes });
}

interface Parts {
  readonly model: ClipModel;
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly processor: ClipProcessor;
  readonly tokenizer: ClipTokenizer;
  readonly name: string;
}

async function compileScorer(
  engine: Engine,
  { model, weights, processor, tokenizer, name }: Parts,
): Promise<ClipScorer> {
  const graph = new Graph();
  const source = constantParameters(graph, weights);
  const texts = [batch, model.maxTokens];
  graph.output('image', model.embedImages(source, graph.input('pixels', [batch, 3, processor.side, processor.side])));
  graph.output('text', model.embedTexts(source, graph.input('ids', texts), graph.input('end', texts)));
  const program = await engine.compile(graph, { name: 'CLIP' });
  return {
    name: `CLIP score (${name})`,
    async scores(images, prompts) {
      const out: number[] = [];
      const numbers = sizeOf(images.shape.slice(1));
      for (let start = 0; start < prompts.length; start += batch) {
        const own = prompts.slice(start, start + batch);
        const part = images.data.subarray(start * numbers, (start + own.length) * numbers);
        const pixels = clipImages({ shape: [own.length, ...images.shape.slice(1)], data: part }, processor);
        const feeds = { pixels: filled(pixels), ...tokens(own, tokenizer, model.maxTokens) };
        out.push(...(await scoresOf(program, feeds)).slice(0, own.length));
      }
      return out;
    },
    dispose: () => program.dispose(),
  };
}

async function scoresOf(program: Program, feeds: Readonly<Record<string, TensorData>>): Promise<number[]> {
  const { image, text } = await program.run(feeds);
  const [a, b] = [await image.read(), await text.read()];
  const scores = clipScores({ shape: image.shape, data: a }, { shape: text.shape, data: b });
  image.dispose();
  text.dispose();
  return scores;
}

/** A batch of the program's size; what fills it up is not looked at. */
function filled({ shape: [count, ...image], data }: TensorData): TensorData {
  if (count === batch) return { shape: [count, ...image], data };
  const out = new Float32Array(batch * sizeOf(image));
  out.set(data);
  return { shape: [batch, ...image], data: out };
}

function tokens(prompts: readonly string[], tokenizer: ClipTokenizer, length: number) {
  const shape = [batch, length];
  const [ids, end] = [new Float32Array(sizeOf(shape)), new Float32Array(sizeOf(shape))];
  for (let i = 0; i < batch; i++) {
    const encoded = tokenizer.encode(prompts[i] ?? '');
    ids.set(encoded.ids, i * length);
    end[i * length + encoded.length - 1] = 1;
  }
  return { ids: { shape, data: ids }, end: { shape, data: end } };
}
