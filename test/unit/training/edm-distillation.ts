/** A distillation of EDM's networks on weights, draws and pairs that a test has in hand, by the very parts that `dmd distill` has. */
import type { Engine } from '../../../backend/engine/engine.ts';
import { packParameters } from '../../../backend/graph/parameters.ts';
import type { TensorData } from '../../../backend/graph/tensor-data.ts';
import type { ReferencePairs } from '../../../backend/methods/common/pairs.ts';
import type { DmdShape } from '../../../backend/methods/dmd/graphs.ts';
import { type DmdOptions, DmdProcedure } from '../../../backend/methods/dmd/procedure.ts';
import type { HostTensors } from '../../../backend/models/conditions.ts';
import { classConditions } from '../../../backend/models/conditions.ts';
import type { Denoiser } from '../../../backend/models/denoiser.ts';
import { type EdmOptions, edmModel } from '../../../backend/models/edm-model.ts';
import { trainedPart } from '../../../backend/models/trained-part.ts';
import { Trainer } from '../../../backend/training/trainer.ts';

type Weights = ReadonlyMap<string, TensorData>;

export interface EdmShapeOptions extends Partial<EdmOptions>, Pick<DmdShape, 'batch' | 'matching' | 'regression'> {
  readonly network: Denoiser;
  /** The network itself unless given. */
  readonly teacher?: Denoiser;
}

export function edmShape({
  network,
  teacher = network,
  batch,
  matching,
  regression,
  ...options
}: EdmShapeOptions): DmdShape {
  const edm = { sigmas: [], generatorSigma: 80, sigmaData: 0.5, ...options };
  const part = trainedPart(network.layout, null);
  return {
    ...{ teacher: edmModel(teacher, edm), student: edmModel(network, edm), generator: part, fake: part },
    ...{ batch, matching, regression, pairsMatch: false, guidance: 1, halfTeacher: false },
  };
}

export interface EdmDistillation
  extends EdmShapeOptions,
    Pick<
      DmdOptions,
      'seed' | 'accumulation' | 'fakeUpdates' | 'settings' | 'pairs' | 'draws' | 'ranks' | 'computes' | 'scalePatience'
    > {
  readonly teacherParameters: Weights;
  readonly start: { readonly generator: Weights; readonly fake: Weights };
  readonly emas?: readonly number[];
  readonly keepsGradients?: (step: number) => boolean;
}

export async function edmDistillation(engine: Engine, options: EdmDistillation) {
  const { network, start, teacherParameters, emas = [0.9], keepsGradients, pairs, draws, ...rest } = options;
  const { seed, accumulation, fakeUpdates, settings, ranks, computes, scalePatience } = rest;
  const flat = (weights: Weights) => packParameters(network.layout, weights);
  const procedure = await DmdProcedure.create(engine, {
    // Without the weights, which its models would keep.
    ...edmShape({ network, ...rest }),
    ...{ seed, accumulation, ranks, fakeUpdates, settings, pairs, teacherWeights: teacherParameters, emas },
    ...(draws ? { draws } : {}),
    ...(computes ? { computes } : {}),
    ...(scalePatience ? { scalePatience } : {}),
    conditions: classConditions(network.labelDim),
    start: { generator: flat(start.generator), fake: flat(start.fake) },
  });
  return { procedure, trainer: new Trainer(engine, procedure, keepsGradients) };
}

/** The same pair batch for every step. */
export const samePairs = (z: TensorData, y: TensorData, labels: TensorData | null): ReferencePairs => {
  const conditions: HostTensors = labels ? { labels } : {};
  return { batch: async () => ({ z, y, conditions }) };
};
