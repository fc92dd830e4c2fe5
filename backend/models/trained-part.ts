/**
 * What is trained of a network: all of it, or low-rank adapters on its attention projections (LoRA, Hu et al.,
 * arXiv 2106.09685): W + B A with A [rank, in], B [out, rank] and W the teacher's own weight, which stays as it is. The
 * optimizer's four buffers are then a few per cent of the network's size.
 */

import type { Tensor } from '../graph/graph.ts';
import { add, matmul } from '../graph/ops/index.ts';
import {
  type FlatParameters,
  flatParameters,
  initialParameters,
  layoutOf,
  type ParameterLayout,
  type ParameterSource,
  packParameters,
  unpackParameters,
} from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';

type Weights = Float32Array | readonly Float32Array[];

export interface TrainedPart {
  /** Of what is trained. */
  readonly layout: ParameterLayout;
  /** Whether the parameters rest on the teacher's, which must be fed too. */
  readonly adapts: boolean;
  /** @param flats one per chunk of the layout; @param base the teacher's parameters, where `adapts` */
  source(flats: readonly Tensor[], base: ParameterSource | null): FlatParameters;
  /** Where training starts: the teacher's function exactly. */
  start(teacher: ReadonlyMap<string, TensorData>, random: Parameters<typeof initialParameters>[1]): Float32Array;
  /** The whole network's weights by name. */
  merged(teacher: ReadonlyMap<string, TensorData>, flats: Weights): Map<string, TensorData>;
}

/** @param rank of the adapters; null trains every parameter */
export function trainedPart(network: ParameterLayout, rank: number | null): TrainedPart {
  return rank === null ? wholeNetwork(network) : adapters(network, rank);
}

function wholeNetwork(layout: ParameterLayout): TrainedPart {
  return {
    layout,
    adapts: false,
    source: (flats) => flatParameters(layout, flats),
    start: (teacher) => packParameters(layout, teacher),
    merged: (_, flats) => unpackParameters(layout, flats),
  };
}

const projection = /(^|\.)(to_q|to_k|to_v|to_out\.0)\.weight$/;
const [down, up] = ['lora_A', 'lora_B'];
const role = 'trained';

function adapters(network: ParameterLayout, rank: number): TrainedPart {
  const adapted = network.entries.filter(({ name, shape }) => shape.length === 2 && projection.test(name));
  if (adapted.length === 0) throw new Error('the network has no attention projections that adapters could lie on');
  const layout = layoutOf(
    adapted.flatMap(({ name, shape: [out, width] }) => [
      {
        ...{ name: `${name}.${down}`, shape: [rank, width!], role },
        init: { kind: 'uniform', bound: 1 / Math.sqrt(width!) } as const,
      },
      { name: `${name}.${up}`, shape: [out!, rank], role, init: { kind: 'zeros' } as const },
    ]),
  );
  const names = new Set(adapted.map(({ name }) => name));
  return {
    layout,
    adapts: true,
    source(flats, base) {
      if (!base) throw new Error('adapters need the weights that they adapt');
      const own = flatParameters(layout, flats);
      const made = new Map<string, Tensor>();
      const adaptedWeight = (name: string, [out, width]: readonly number[], weight: Tensor) => {
        const a = own.get(`${name}.${down}`, [rank, width], { kind: 'zeros' });
        const b = own.get(`${name}.${up}`, [out, rank], { kind: 'zeros' });
        return add(weight, matmul(b, a));
      };
      return {
        graph: own.graph,
        tensors: own.tensors,
        get(name, shape, init, role) {
          if (!names.has(name)) return base.get(name, shape, init, role);
          const tensor = made.get(name) ?? adaptedWeight(name, shape, base.get(name, shape, init, role));
          made.set(name, tensor);
          return tensor;
        },
      };
    },
    start: (_, random) => initialParameters(layout, random),
    merged(teacher, flats) {
      const own = unpackParameters(layout, flats);
      return new Map(
        [...teacher].map(([name, weight]) => {
          if (!names.has(name)) return [name, weight];
          return [name, addProduct(weight, own.get(`${name}.${up}`)!, own.get(`${name}.${down}`)!)];
        }),
      );
    },
  };
}

/** weight [out, in] + b [out, rank] a [rank, in]. */
function addProduct({ shape, data }: TensorData, b: TensorData, a: TensorData): TensorData {
  const [out, width] = shape;
  const rank = b.shape[1];
  const sum = new Float32Array(data.length);
  for (let row = 0; row < out; row++) {
    for (let column = 0; column < width; column++) {
      let product = 0;
      for (let k = 0; k < rank; k++) product += b.data[row * rank + k] * a.data[k * width + column];
      sum[row * width + column] = data[row * width + column] + product;
    }
  }
  return { shape, data: sum };
}
