/** Several networks' parameters as one flat buffer, so that one optimizer trains them together. Names get the part as prefix. */
import { layoutOf, type ParameterLayout, type ParameterSource } from '../graph/parameters.ts';
import type { TensorData } from '../graph/tensor-data.ts';

/** @param parts the networks' layouts by the name their parameters are prefixed with: `unet` -> `unet.conv_in.weight` */
export function joinLayouts(parts: Readonly<Record<string, ParameterLayout>>): ParameterLayout {
  return layoutOf(
    Object.entries(parts).flatMap(([part, { entries }]) =>
      entries.map((entry) => ({ ...entry, name: `${part}.${entry.name}` })),
    ),
  );
}

/** The parameters of one part, by their own names. */
export function sourceOf(source: ParameterSource, part: string): ParameterSource {
  return {
    graph: source.graph,
    get: (name, shape, init, role) => source.get(`${part}.${name}`, shape, init, role),
  };
}

/** Weights of a joint layout, those of one part by their own names. */
export function weightsOf(weights: ReadonlyMap<string, TensorData>, part: string): Map<string, TensorData> {
  const prefix = `${part}.`;
  return new Map(
    [...weights].flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
    ),
  );
}
