/** EDM's networks as teachers: classes, Heun's sampler, images. */
import { openPairs } from '../../data/pairs.ts';
import { edmSampler } from '../../diffusion/edm-sampler.ts';
import { karrasSigmas } from '../../diffusion/karras.ts';
import type { SigmaRange } from '../../diffusion/sampler.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import { classConditions, type LabelChoice } from '../../models/conditions.ts';
import { sigmaDataOf } from '../../models/consistency.ts';
import type { Denoiser } from '../../models/denoiser.ts';
import { edmModel } from '../../models/edm-model.ts';
import { loadTeacher } from '../../models/teacher.ts';
import { trainedPart } from '../../models/trained-part.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { DenoiseProgram } from '../../sampling/denoise-program.ts';
import { takenSet } from '../../weights/weight-sets.ts';
import { openDistance } from './distance.ts';
import { edmStudent } from './edm-student.ts';
import type { PairMaking } from './pairs.ts';
import type { DistillTeacher } from './teacher.ts';

/** Images per call of the teacher. */
const samplerBatch = 32;

/** Throws UserError that names the key or the file. */
export async function openEdmTeacher(config: DistillConfig): Promise<DistillTeacher> {
  refuseTextKeys(config);
  const teacher = await loadTeacher(config.teacher, { network: config.network, recompute: config.recompute });
  const { network, weights, sha256 } = teacher;
  const { labels, generator, matching, regression } = config;
  if (labels === 'none' && network.labelDim === 0) {
    const message = `labels: ${teacher.path} has no classes that could be left out`;
    throw new UserError('config', message, 'Remove labels from the config.');
  }
  const { distance, inputs } = await openDistance(config, { imageShape: network.imageShape, path: teacher.path });
  const { sigmaMin, sigmaMax, rho, count } = matching.levels;
  const part = trainedPart(network.layout, null);
  const conditions = classConditions(network.labelDim, labels);
  const sigmaData = sigmaDataOf(network);
  const metadata = { generatorSigma: String(generator.sigma) };
  return {
    path: teacher.path,
    sha256,
    inputs: { teacher: { path: teacher.path, sha256 }, ...inputs },
    notes:
      teacher.key === '' && teacher.others.length === 0
        ? []
        : [`the teacher's weights are those under ${takenSet(teacher.key, teacher.others)} in its file`],
    model: edmModel(network, {
      sigmas: karrasSigmas(count, { sigmaMin, sigmaMax, rho }),
      generatorSigma: generator.sigma,
      sigmaData,
    }),
    sigmaData,
    ...{ generator: part, fake: part, pairsMatch: false, guidance: 1, wantsHalf: false, metadata },
    pairs: edmPairs(teacher, { steps: regression.pairs.steps, sigmaMax: generator.sigma, labels }),
    readWeights: async () => weights,
    openConditions: async () => ({ source: conditions, ofPairs: () => conditions, dispose: async () => {} }),
    randomConditions: () => conditions,
    distance: async () => distance,
    pictures: async () => null,
    smaller: () => [],
    writeStudent: edmStudent(network.config, sha256, generator.sigma),
  };
}

/** Prompts say that a text-to-image teacher is meant; everything else of `text` has defaults. */
function refuseTextKeys({ text, teacher }: DistillConfig): void {
  if (text.prompts === undefined) return;
  const message = `text.prompts: ${teacher} is no text-to-image model`;
  throw new UserError('config', message, 'Name a diffusers folder as teacher, or remove the key.');
}

export interface EdmPairOptions {
  /** Of Heun's method. */
  readonly steps: number;
  /** Noise level that sampling starts from: the one the generator is called at. */
  readonly sigmaMax: number;
  readonly labels: LabelChoice;
  /** Images per call of the teacher. */
  readonly batch?: number;
}

export interface PairTeacher {
  readonly network: Denoiser & SigmaRange;
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly sha256: string;
}

/** By EDM's deterministic sampler. */
export function edmPairs(
  { network, weights, sha256 }: PairTeacher,
  { steps, sigmaMax, labels, batch = samplerBatch }: EdmPairOptions,
): PairMaking {
  const { imageShape: shape, labelDim } = network;
  return {
    made: { teacher: sha256, sampler: 'edm', steps, sigmaMax, labels },
    ...{ shape, labelDim, batch },
    // Heun's method calls the network twice a step, but once in the last.
    calls: 2 * steps - 1,
    open: async (folder) => ({ set: await openPairs(folder, { shape: [...shape], labelDim }), prompts: null }),
    async sampler(engine) {
      const program = await DenoiseProgram.create(engine, { network, batch, weights });
      const options = { num_steps: steps, sigma_max: sigmaMax };
      const none = { shape: [batch, 0], data: new Float32Array() };
      return {
        async sample(z, conditions, signal) {
          const labelled = conditions.labels ?? none;
          const images = await edmSampler(
            (x, sigma) => program.denoise(x, sigma, labelled),
            z,
            options,
            { signal },
            network,
          );
          return Float32Array.from(images);
        },
        dispose: () => program.dispose(),
      };
    },
  };
}
