/** What a procedure of any method keeps of what it was made of: the weights that it began with are on the device, and are read from there. */
import { unpackParameters } from '../../graph/parameters.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { Chunks } from '../../training/network-state.ts';
import type { TrainedNetwork } from '../../training/trained-network.ts';
import type { DmdShape } from './graphs.ts';

/** Each as large as a network, or as several. */
interface OnDevice {
  readonly teacherWeights: unknown;
  readonly start: unknown;
}

export type Kept<Options extends OnDevice> = Omit<Options, keyof OnDevice>;

export function keptOf<Options extends OnDevice>({ start: _, teacherWeights: __, ...kept }: Options): Kept<Options> {
  return kept;
}

/** `MatchingProcedure.generatorWeights`. */
export async function weightsOf(
  { generator, teacher }: { readonly generator: TrainedNetwork; readonly teacher: Chunks },
  shape: Pick<DmdShape, 'generator' | 'teacher'>,
  decay?: number,
): Promise<Map<string, TensorData>> {
  const onHost = (chunks: Chunks) => Promise.all(chunks.map(async (chunk) => (await chunk.read()).slice()));
  const base = shape.generator.adapts ? unpackParameters(shape.teacher.layout, await onHost(teacher)) : new Map();
  return shape.generator.merged(base, await onHost(generator.average(decay)));
}
