/**
 * How much of the generator's gradient is noise: from two gradients g and h of independent batches, g h estimates the squared norm of
 * the true gradient and |g - h|^2 / 2 the variance of one batch (McCandlish et al. 2018, arXiv 1812.06162, appendix A.1).
 */
import type { Engine, Program } from '../../../engine/engine.ts';
import { Graph, type Tensor } from '../../../graph/graph.ts';
import { add, concat, mul, reshape, square, sub, sum } from '../../../graph/ops/index.ts';
import { byChunk, chunkName, type ParameterLayout } from '../../../graph/parameters.ts';
import { gradientTags } from '../../../health/tags.ts';
import { type Chunks, disposeAll } from '../../../training/network-state.ts';

export class GradientNoise {
  readonly #compare: Program;
  readonly #accumulation: number;

  private constructor(compare: Program, accumulation: number) {
    this.#compare = compare;
    this.#accumulation = accumulation;
  }

  /** @param accumulation micro-batches of an update, each as large as the batches that are compared */
  static async create(engine: Engine, layout: ParameterLayout, accumulation: number): Promise<GradientNoise> {
    return new GradientNoise(await engine.compile(compareGraph(layout), { name: 'gradient noise' }), accumulation);
  }

  /** Takes both gradients over. @param scale what both were multiplied by */
  async read(first: Chunks, second: Chunks, scale = 1): Promise<Record<string, number>> {
    const { numbers } = await this.#compare.run({ ...byChunk('first', first), ...byChunk('second', second) });
    disposeAll([...first, ...second]);
    const [signal, squares] = (await numbers!.read()).map((number) => number / scale ** 2);
    const vitals = { [gradientTags.signal]: signal!, [gradientTags.noise]: squares! / 2 / this.#accumulation };
    numbers!.dispose();
    return vitals;
  }

  async dispose(): Promise<void> {
    await this.#compare.dispose();
  }
}

/** [g h, |g - h|^2] over all trained chunks. */
function compareGraph({ chunks }: ParameterLayout): Graph {
  const graph = new Graph();
  let product: Tensor | undefined;
  let squares: Tensor | undefined;
  chunks.forEach(({ trainedSize }, i) => {
    if (trainedSize === 0) return;
    const [first, second] = ['first', 'second'].map((name) => graph.input(chunkName(name, i), [trainedSize]));
    const [along, apart] = [sum(mul(first!, second!)), sum(square(sub(first!, second!)))];
    product = product ? add(product, along) : along;
    squares = squares ? add(squares, apart) : apart;
  });
  graph.output('numbers', concat([reshape(product!, [1]), reshape(squares!, [1])], 0));
  return graph;
}
