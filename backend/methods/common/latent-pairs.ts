/**
 * Noise-latent pairs of a text-to-image teacher: PNDM with guidance (the paper: 50 steps at 3). A pair's row is the number of its
 * prompt in the folder's own prompts.txt, whose hash is in the manifest.
 */
import path from 'node:path';
import { openPairs } from '../../data/pairs.ts';
import { createPairSampler, guideDoubled, needsGuidance } from '../../diffusion/vp/index.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { HostTensors } from '../../models/conditions.ts';
import { type Build, NetworkProgram } from '../../models/text/network-program.ts';
import type { TextTeacher } from '../../models/text/text-teacher.ts';
import { UserError } from '../../protocol/errors.ts';
import { joinRows } from '../../training/rows.ts';
import { readText } from '../../weights/diffusers/index.ts';
import type { OpenPairs, PairMaking } from './pairs.ts';
import { type PromptList, promptList } from './prompts.ts';

/** Latents per call of the teacher, twice that with guidance. */
const samplerBatch = 16;
const promptsFile = 'prompts.txt';

export interface LatentPairOptions {
  readonly teacher: TextTeacher;
  /** Of the teacher's UNet. */
  readonly sha256: string;
  readonly prompts: PromptList;
  /** Steps of PNDM, which calls the network once more than that. */
  readonly steps: number;
  readonly guidance: number;
}

/** @param unconditional the empty prompt's embedding [1, L, D], asked for when guidance needs it */
export function latentPairs(options: LatentPairOptions, unconditional: () => Promise<HostTensors>): PairMaking {
  const { teacher, sha256, prompts, steps, guidance } = options;
  const { network, model } = teacher;
  const guides = needsGuidance(guidance);
  return {
    made: { teacher: sha256, sampler: 'pndm', steps, guidance, prompts: prompts.sha256 },
    ...{ shape: network.latentShape, labelDim: 1, batch: samplerBatch },
    calls: (steps + 1) * (guides ? 2 : 1),
    texts: { [promptsFile]: `${prompts.prompts.join('\n')}\n` },
    open: (folder) => openLatentPairs(teacher, folder),
    async sampler(engine) {
      const read = () => model.openWeights('unet');
      const unet = new NetworkProgram(engine, { name: 'teacher', layout: network.layout, read });
      return {
        async sample(z, conditions, signal) {
          const own = { context: conditions.context! };
          const { context } = guides ? joinRows(repeated(await unconditional(), samplerBatch), own) : own;
          const predict = async (x: Float32Array, t: number) => {
            if (!guides) return predictAt(unet, teacher, x, t, context!);
            const twice = new Float32Array(2 * x.length);
            twice.set(x);
            twice.set(x, x.length);
            return guideDoubled(await predictAt(unet, teacher, twice, t, context!), guidance);
          };
          return createPairSampler(model.schedulerConfig).sample(predict, z, { steps }, { signal });
        },
        dispose: () => unet.dispose(),
      };
    },
  };
}

function repeated(rows: HostTensors, count: number): HostTensors {
  return Object.fromEntries(
    Object.entries(rows).map(([name, { shape, data }]) => {
      const all = new Float32Array(count * data.length);
      for (let i = 0; i < count; i++) all.set(data, i * data.length);
      return [name, { shape: [count, ...shape.slice(1)], data: all }];
    }),
  );
}

function predictAt(
  unet: NetworkProgram,
  { network }: TextTeacher,
  x: Float32Array,
  timestep: number,
  context: TensorData,
) {
  const [count] = context.shape as [number];
  const shape = [count, ...network.latentShape];
  const build: Build = (graph, source) =>
    network.predict(
      source,
      graph.input('sample', shape),
      graph.input('timestep', [count]),
      graph.input('context', context.shape),
    );
  return unet.run(String(count), build, {
    sample: { shape, data: x },
    timestep: { shape: [count], data: new Float32Array(count).fill(timestep) },
    context,
  });
}

/** Opens pairs that fit a teacher. Throws UserError that names the folder and what does not fit. */
export async function openLatentPairs({ network }: Pick<TextTeacher, 'network'>, folder: string): Promise<OpenPairs> {
  const set = await openPairs(folder, { shape: [...network.latentShape], labelDim: 1 });
  const file = path.join(folder, promptsFile);
  const { prompts, sha256 } = promptList(readText(file).replace(/\n$/, '').split('\n'));
  if (sha256 === set.config.prompts) return { set, prompts };
  throw new UserError('data', `${file} holds other prompts than its pairs were made for`, 'Make the pairs anew.');
}
