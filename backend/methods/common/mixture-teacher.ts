/** A mixture of Gaussians in the plane as a teacher: its denoiser is exact and has no weights, so the student is a small network of its own. */
import { createHash } from 'node:crypto';
import { mixtureDenoiser } from '../../data/mixture.ts';
import { scatter } from '../../data/points/scatter.ts';
import { karrasSigmas } from '../../diffusion/karras.ts';
import { anySigma } from '../../diffusion/sampler.ts';
import { initialParameters } from '../../graph/parameters.ts';
import { classConditions } from '../../models/conditions.ts';
import { sigmaDataOf } from '../../models/consistency.ts';
import { edmModel } from '../../models/edm-model.ts';
import { blobParameters, planeNetwork } from '../../models/plane-network.ts';
import { trainedPart } from '../../models/trained-part.ts';
import type { DistillConfig, MixtureConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { openDistance } from './distance.ts';
import { edmStudent } from './edm-student.ts';
import { edmPairs } from './edm-teacher.ts';
import type { DistillTeacher } from './teacher.ts';

/** Points per call of the teacher: a call of few points is all overhead. */
const samplerBatch = 256;

/** Throws UserError that names the key. */
export async function openMixtureTeacher(config: DistillConfig, mixture: MixtureConfig): Promise<DistillTeacher> {
  refuseOthers(config);
  const { generator, matching, regression, teacher: name } = config;
  const denoiser = { ...mixtureDenoiser(mixture), ...anySigma };
  const network = planeNetwork(mixture.width);
  const { sigmaMin, sigmaMax, rho, count } = matching.levels;
  const options = { sigmas: karrasSigmas(count, { sigmaMin, sigmaMax, rho }), generatorSigma: generator.sigma };
  const sigmaData = sigmaDataOf(network);
  const model = (of: Parameters<typeof edmModel>[0]) => edmModel(of, { ...options, sigmaData });
  const { distance } = await openDistance(config, { imageShape: denoiser.imageShape, path: name });
  const sha256 = hashOfMixture(mixture);
  const part = trainedPart(network.layout, null);
  const conditions = classConditions(0);
  const weights = new Map();
  const sigma = String(generator.sigma);
  return {
    ...{ path: name, sha256, inputs: { teacher: { path: name, sha256 } }, notes: [] },
    ...{ model: model(denoiser), student: model(network), sigmaData },
    generator: {
      ...part,
      start: (_, random) => blobParameters(network, mixture.start, generator.sigma, random),
    },
    // There is no teacher's network to copy: the fake score begins with nothing and learns the blob while the generator rests.
    fake: { ...part, start: (_, random) => initialParameters(network.layout, random) },
    ...{ pairsMatch: false, guidance: 1, wantsHalf: false, metadata: { generatorSigma: sigma } },
    pairs: edmPairs(
      { network: denoiser, weights, sha256 },
      { steps: regression.pairs.steps, sigmaMax: generator.sigma, labels: 'uniform', batch: samplerBatch },
    ),
    readWeights: async () => weights,
    openConditions: async () => ({ source: conditions, ofPairs: () => conditions, dispose: async () => {} }),
    randomConditions: () => conditions,
    distance: async () => distance,
    pictures: async () => null,
    plane: { mixture, plot: (points) => scatter(points, mixture, mixture.start) },
    smaller: () => [],
    writeStudent: edmStudent(network.config, sha256, generator.sigma),
  };
}

/** The mixture is written in the config: what it holds is what the teacher is. */
function hashOfMixture({ modes, std, stds }: MixtureConfig): string {
  return createHash('sha256').update(JSON.stringify({ modes, std, stds })).digest('hex');
}

function refuseOthers({ text, labels, network }: DistillConfig): void {
  const key = text.prompts !== undefined ? 'text.prompts' : labels === 'none' ? 'labels' : network ? 'network' : null;
  if (key === null) return;
  throw new UserError('config', `${key}: a mixture has no prompts, classes or network`, 'Remove the key.');
}
