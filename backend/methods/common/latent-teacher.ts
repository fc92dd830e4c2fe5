/** Text-to-image models as teachers (the paper's Stable Diffusion recipe): prompts, guidance, pairs in both losses, latents. */

import path from 'node:path';
import type { Engine } from '../../engine/engine.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import type { ConditionSource, HostTensors } from '../../models/conditions.ts';
import type { DiffusionModel } from '../../models/diffusion-model.ts';
import type { Inputs, InputWork } from '../../models/input-file.ts';
import { latentModel } from '../../models/latent-model.ts';
import { openTextTeacher, type TextTeacher, teacherInputs } from '../../models/text/text-teacher.ts';
import { trainedPart } from '../../models/trained-part.ts';
import { createTextUNet } from '../../nets/stable-diffusion/index.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { stream } from '../../random/stream.ts';
import type { JsonObject } from '../../weights/diffusers/index.ts';
import { decodeWith, openDecoder } from './decoder.ts';
import { l2Distance, openDistance } from './distance.ts';
import { type PromptEmbeddings, TextEmbeddings } from './embeddings.ts';
import { latentPairs } from './latent-pairs.ts';
import { promptInputs, readPrompts } from './prompts.ts';
import type { ConditionsOfRun, DistillTeacher, ImageEncoder } from './teacher.ts';
import { writeStudent } from './write-student.ts';

/** Whether the run keeps its frozen teacher as float16: asked for, and possible on the device. */
export async function holdsTeacherAsHalf(
  { wantsHalf }: Pick<DistillTeacher, 'wantsHalf'>,
  engine: Engine,
): Promise<boolean> {
  return wantsHalf && (await engine.capabilities()).holds.includes('float16');
}

/** Reads configurations, no weights of the networks. Throws UserError that names the key or the file. */
export async function openLatentTeacher(config: DistillConfig, work: InputWork = {}): Promise<DistillTeacher> {
  const teacher = openTextTeacher(config);
  const prompts = readPrompts(config);
  const { regression, text } = config;
  const weights = await teacherInputs(teacher, work);
  const { sha256 } = weights.teacher;
  const decoded = await openDecodedDistance(config, teacher, work);
  const inputs = { ...weights, ...decoded.inputs, ...promptInputs(config, prompts) };
  let embeddings: TextEmbeddings | undefined;
  const pairs = latentPairs(
    { teacher, sha256, prompts, steps: regression.pairs.steps, guidance: text.pairGuidance ?? text.guidance },
    async () => ({ context: await embeddings!.of(['']) }),
  );
  const shared = {
    ...{ path: config.teacher, sha256, inputs, pairs },
    ...{ pairsMatch: true, guidance: text.guidance, wantsHalf: text.teacherPrecision === 'float16' },
    metadata: { generatorSigma: String(config.generator.sigma) },
    notes: teacher.model.warnings,
    distance: decoded.distance,
    readWeights: () => teacher.model.readWeights('unet'),
    async openConditions(engine: Engine, run: ConditionsOfRun | null) {
      const opened = await embeddingsFor(run, engine);
      embeddings = opened;
      const listed = async (texts: readonly string[]) => promptConditions(await opened.listed(texts));
      const source = await listed(prompts.prompts);
      return {
        source,
        ofPairs: (texts: readonly string[] | null) => ({
          ...source,
          feeds: async ({ data }: Parameters<ConditionSource['feeds']>[0]) => ({
            context: await opened.of(Array.from(data, (id) => texts![id]!)),
          }),
        }),
        dispose: () => opened.dispose(),
      };
    },
    randomConditions,
    encoder: imageEncoder(teacher),
    async pictures(weights?: Parameters<DistillTeacher['pictures']>[0]) {
      const decoder = await openDecoder(null, teacher);
      return decodeWith(decoder, weights?.(decoder.vae.layout) ?? (await decoder.readWeights()));
    },
    writeStudent: (...[folder, name, weights, step, half, { again }]: Parameters<DistillTeacher['writeStudent']>) =>
      writeStudent(path.join(folder, name), teacher, weights, { step, teacherSha256: sha256, again }, half),
  };
  const withNetwork = (network: TextTeacher['network']): DistillTeacher => {
    const part = (rank: number) => trainedPart(network.layout, rank > 0 ? rank : null);
    const { prediction, tokens, schedule } = teacher;
    return {
      ...shared,
      model: latentModel(network, { prediction, tokens, schedule }),
      generator: part(text.lora.generator),
      fake: part(text.lora.fake),
      *smaller() {
        for (const smallerNetwork of smallerNetworks(teacher, config.recompute)) yield withNetwork(smallerNetwork);
      },
    };
  };
  return withNetwork(teacher.network);

  /** With all prompts encoded where the run will need all of them; otherwise each is when it is drawn. */
  async function embeddingsFor(run: ConditionsOfRun | null, engine: Engine): Promise<TextEmbeddings> {
    if (!run) return new TextEmbeddings(engine, teacher);
    const encoder = inputs['teacher (text_encoder)']!.sha256;
    const store = { folder: path.join(run.folder, 'embeddings'), sha256: encoder };
    const opened = new TextEmbeddings(engine, teacher, { store });
    const { iterations, accumulation, batch } = config;
    if (iterations * accumulation * batch < prompts.prompts.length) return opened;
    try {
      await opened.prepare(prompts.prompts, run);
      return opened;
    } catch (error) {
      await opened.dispose();
      throw error;
    }
  }
}

/** Reads no weights yet. */
export function imageEncoder(teacher: TextTeacher): ImageEncoder {
  const { vae, imageSize: size, readWeights } = teacher.model;
  return {
    ...{ network: vae, size, scale: vae.scalingFactor },
    readWeights: () => readWeights('vae'),
    inputs: async (work) => (await openDecoder(null, teacher)).inputs(work),
  };
}

/** Latents compared as they are, or the images they decode to. With the regression switched off no file is opened. */
async function openDecodedDistance(config: DistillConfig, teacher: TextTeacher, work: InputWork) {
  const { regression, text } = config;
  const none: Inputs = {};
  if (!regression.enabled || text.regressionSpace === 'latent')
    return { inputs: none, distance: async () => l2Distance };
  const decoder = await openDecoder(text.decoder ?? null, teacher);
  const imageShape = [decoder.vae.imageChannels, ...teacher.model.imageSize];
  const { distance, inputs } = await openDistance(config, { imageShape, path: config.teacher });
  return {
    inputs: { ...(await decoder.inputs(work)), ...inputs },
    distance: async (...[weights]: Parameters<DistillTeacher['distance']>) => {
      const decode = decodeWith(decoder, weights?.(decoder.vae.layout) ?? (await decoder.readWeights()));
      return (...[a, b]: Parameters<typeof l2Distance>) => distance(decode(a), decode(b));
    },
  };
}

/** Prompts by number, each as likely as any other. */
export function promptConditions({ count, unconditional, embeddings }: PromptEmbeddings): ConditionSource {
  return {
    width: 1,
    draw: (seed, path, n) => ({
      shape: [n, 1],
      data: Float32Array.from(stream(seed, ...path, 'prompts').randint(0, count, n)),
    }),
    inTurn: (n) => ({ shape: [n, 1], data: Float32Array.from({ length: n }, (_, i) => i % count) }),
    feeds: async ({ data }): Promise<HostTensors> => ({ context: await embeddings([...data]) }),
    unconditional: { context: unconditional },
    recorded: [],
  };
}

/** Embeddings of as many prompts as are asked for. */
function randomConditions({ conditions }: DiffusionModel): ConditionSource {
  const context = (count: number) => {
    const shape = [count, ...conditions.context!];
    return { shape, data: stream(0, 'plan', 'data').randn(sizeOf(shape)) };
  };
  return promptConditions({ count: 1, unconditional: context(1), embeddings: async (ids) => context(ids.length) });
}

/** Channels and side of the latents that remain, as divisors. */
const sizes = [
  [2, 1],
  [4, 1],
  [4, 2],
  [8, 2],
  [8, 4],
] as const;

function* smallerNetworks({ network, unetConfig }: TextTeacher, recompute: DistillConfig['recompute']) {
  const [, height, width] = network.latentShape;
  for (const [channels, side] of sizes) {
    const size = [height / side, width / side] as const;
    yield createTextUNet(withChannels(unetConfig, channels), { recompute, size });
  }
}

/** The network with about one in `divisor` of its channels, in whole groups of its normalisations. */
function withChannels(config: JsonObject, divisor: number): JsonObject {
  const groups = Number(config.norm_num_groups ?? 32);
  const blocks = config.block_out_channels as readonly number[];
  const fewer = (channels: number) => Math.max(1, Math.round(channels / divisor / groups)) * groups;
  return { ...config, block_out_channels: blocks.map(fewer) };
}
