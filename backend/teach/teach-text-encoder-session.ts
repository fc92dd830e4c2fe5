/** Teaching a text encoder as a run: captioned scenes, what is measured of it, and the folder `text` that it becomes. */
import path from 'node:path';
import type { CaptionedBatch } from '../data/captioned/captioned-batch.ts';
import { captionedSize } from '../data/captioned/scene.ts';
import type { Program } from '../engine/engine.ts';
import { byChunk } from '../graph/parameters.ts';
import { createClipText, type TextEncoder } from '../nets/stable-diffusion/clip-text.ts';
import { createTextImagePair, type TextImagePair } from '../nets/text-image-pair.ts';
import type { TeachTextEncoderConfig } from '../protocol/config/index.ts';
import { UserError } from '../protocol/errors.ts';
import { averagedWeights } from '../training/loss-procedure.ts';
import { emasOf, updateSettingsOf } from '../training/schedule.ts';
import { isDue, type SessionContext, type SessionPlan, type TrainingSession } from '../training/session.ts';
import type { Trainer } from '../training/trainer.ts';
import { writeComponent, writeTokenizer } from '../weights/diffusers/index.ts';
import { type CaptionTokenizer, captionTokenizer } from './caption-tokenizer.ts';
import { heldOutBatch, trainingBatch, trainingIndices } from './captioned-images.ts';
import { clipLayout, clipLossGraph } from './clip-loss.ts';
import { textEncoderConfig } from './component-configs.ts';
import { LossSession } from './loss-session.ts';
import { type ClipBatch, createTextEncoderTrainer } from './teach-text-encoder.ts';

/** The folder of the finished text encoder and its tokenizer, in the run folder. */
const folderName = 'text';

/** Opens and checks everything the config names. Throws UserError; nothing is written. */
export async function planTeachTextEncoder(config: TeachTextEncoderConfig): Promise<SessionPlan> {
  refuseGroups(config.image_encoder);
  const tokenizer = await captionTokenizer(config, config.tokenizer);
  const raw = textEncoderConfig(config.text_encoder, tokenizer.tokens);
  const encoder = createClipText(raw);
  const model = createTextImagePair(encoder, { ...config.image_encoder, side: captionedSize }, config.embedding);
  const parts = { config, raw, encoder, model, tokenizer };
  return { fieldBytes: 0, inputs: async () => tokenizer.inputs, start: (context) => start(parts, context) };
}

function refuseGroups({ channels, norm_num_groups: groups }: TeachTextEncoderConfig['image_encoder']): void {
  const odd = channels.slice(1).find((count) => count % groups !== 0);
  if (odd === undefined) return;
  const message = `image_encoder.channels: ${odd} channels do not divide into ${groups} groups`;
  throw new UserError('config', message, 'Change image_encoder.norm_num_groups.');
}

interface Parts {
  readonly config: TeachTextEncoderConfig;
  /** Content of the text encoder's config.json. */
  readonly raw: object;
  readonly encoder: TextEncoder;
  readonly model: TextImagePair;
  readonly tokenizer: CaptionTokenizer;
}

async function start(parts: Parts, context: SessionContext): Promise<TrainingSession> {
  const { engine, report, ranks } = context;
  const { config, model, tokenizer } = parts;
  const { seed, batch, accumulation, record, iterations } = config;
  report({ type: 'note', level: 'info', text: 'compiling the training step' });
  const trainer = await createTextEncoderTrainer(engine, {
    ...{ model, seed, batch, accumulation, ranks },
    settings: updateSettingsOf(config),
    emas: emasOf(config.ema),
    keepsGradients: (step) => isDue(record.histogramsEvery, step, iterations),
    samples: (step, micro, count) =>
      feedsOf(trainingBatch(config, trainingIndices(config, step, micro, count)), tokenizer),
  });
  const { measured } = record;
  const measure =
    record.measureEvery > 0
      ? await engine.compile(clipLossGraph(model, clipLayout(model), measured, { gradient: false }), {
          name: 'text encoder measure',
        })
      : null;
  return new LossSession({
    config: { iterations, record: { ...record, samplesEvery: record.measureEvery } },
    ...{ trainer, context },
    recordSamples: (step) => recordMeasures(parts, trainer, measure, step, context),
    writeWeights: (folder, half) => writeText(parts, trainer, folder, half),
    dispose: async () => measure?.dispose(),
  });
}

/** Of the averaged networks, on scenes whose combinations training never shows. */
async function recordMeasures(
  { config, tokenizer }: Parts,
  trainer: Trainer,
  measure: Program | null,
  step: number,
  { recorder }: SessionContext,
): Promise<void> {
  if (!measure) return;
  const { measured } = config.record;
  const feeds = feedsOf(heldOutBatch(config, measured), tokenizer);
  const { loss, accuracy } = await measure.run({ ...byChunk('parameters', trainer.networks[0]!.average()), ...feeds });
  const scalars = {
    'loss/held-out': (await loss.read())[0]!,
    [`quality/own text chosen among ${measured}`]: (await accuracy.read())[0]!,
  };
  recorder.add(step, { scalars });
  loss.dispose();
  accuracy.dispose();
}

/** Images in [-1, 1] are as a processor with mean and deviation 1/2 makes them. */
function feedsOf({ images, captions }: CaptionedBatch, { ids, tokens }: CaptionTokenizer): ClipBatch {
  const rows = captions.map(ids);
  const length = rows[0]!.length;
  const shape = [rows.length, length];
  const [data, end] = [new Float32Array(rows.length * length), new Float32Array(rows.length * length)];
  rows.forEach((row, i) => {
    data.set(row, i * length);
    end[i * length + row.indexOf(tokens.end, 1)] = 1;
  });
  return { pixels: images, ids: { shape, data }, end: { shape, data: end } };
}

/** text_encoder/ and tokenizer/, as diffusers and transformers read them. */
async function writeText(
  { raw, encoder, tokenizer }: Parts,
  trainer: Trainer,
  folder: string,
  half: boolean,
): Promise<string[]> {
  const written = path.join(folder, folderName);
  const weights = await averagedWeights(trainer);
  const tensors = new Map(encoder.layout.entries.map(({ name }) => [name, weights.get(name)!]));
  await writeComponent(written, 'text_encoder', { className: 'CLIPTextModel', config: raw, tensors }, { half });
  writeTokenizer(written, tokenizer.files);
  return [path.join(written, 'text_encoder', 'model.safetensors')];
}
