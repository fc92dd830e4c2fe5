/** What is asked of one entry of the table: executors agree, and the gradient is that of the function. */
import assert from 'node:assert/strict';
import { gradients } from '../../../backend/graph/gradients.ts';
import { Graph } from '../../../backend/graph/graph.ts';
import { sizeOf, type TensorData, tensorData } from '../../../backend/graph/tensor-data.ts';
import type { TorchGenerator } from '../../../backend/random/torch-generator.ts';
import { type Executor, type Feeds, type Run, tensorflow } from './executors.ts';
import { drawInput, type OpCase } from './op-case.ts';

/** The case as a graph: inputs x0, x1, ... and the output's weight; outputs y and, per input, g0, g1, ... */
export function graphOf({ inputs, build, gradient }: OpCase): Graph {
  const graph = new Graph();
  const tensors = inputs.map(({ shape }, i) => graph.input(`x${i}`, shape));
  const y = graph.scope('case', () => build(tensors));
  graph.output('y', y);
  if (gradient === 'none') return graph;
  const weight = graph.input('weight', y.shape);
  // The trigger of a barrier has no gradient.
  const wanted = tensors.slice(0, y.node.type.name === 'barrier' ? 1 : undefined);
  gradients([{ of: y, gradient: weight }], wanted).forEach((result, i) => {
    graph.output(`g${i}`, result);
  });
  return graph;
}

export function drawFeeds(entry: OpCase, graph: Graph, random: TorchGenerator): Feeds {
  const feeds: Record<string, TensorData> = {};
  entry.inputs.forEach((input, i) => {
    feeds[`x${i}`] = drawInput(input, random);
  });
  const weight = graph.inputs.get('weight');
  if (weight) feeds.weight = tensorData(weight.shape, random.randn(sizeOf(weight.shape)));
  return feeds;
}

/** Runs the case on each executor and holds the results, and then the gradients, against the oracle's. */
export async function checkCase(entry: OpCase, executors: readonly Executor[], random: TorchGenerator): Promise<void> {
  const graph = graphOf(entry);
  const feeds = drawFeeds(entry, graph, random);
  const oracle = await tensorflow.prepare(graph);
  try {
    const expected = await oracle.run(feeds);
    for (const executor of executors) {
      const program = await executor.prepare(graph);
      try {
        const actual = await program.run(feeds);
        for (const [name, tensor] of graph.outputs) {
          assert.equal(actual[name].length, sizeOf(tensor.shape), `${executor.name}: size of ${name}`);
          assertClose(actual[name], expected[name], entry.tolerance, `${executor.name}: ${name}`);
        }
      } finally {
        await program.close();
      }
    }
    if (entry.gradient === 'checked') await checkGradients(entry, oracle.run, feeds, random);
  } finally {
    await oracle.close();
  }
}

/** Largest difference at most `tolerance` of the largest expected number, or of 0.1. */
export function assertClose(actual: Float32Array, expected: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, expected.length, what);
  // Inputs and weights are of order 1: results much below 0.1 are what is left of terms that cancelled.
  let largest = 0.1;
  let worst = 0;
  actual.forEach((value, i) => {
    assert.ok(Number.isFinite(value) && Number.isFinite(expected[i]), `${what}[${i}]: ${value} and ${expected[i]}`);
    largest = Math.max(largest, Math.abs(expected[i]));
    worst = Math.max(worst, Math.abs(value - expected[i]));
  });
  assert.ok(worst <= tolerance * largest, `${what}: off by ${worst} where the largest number is ${largest}`);
}

/**
 * The slope of the weighted output along a random direction of +-1 (so that every number counts), from four function
 * values, against the gradient's.
 */
async function checkGradients(entry: OpCase, run: Run, feeds: Feeds, random: TorchGenerator): Promise<void> {
  const { y: _, ...found } = await run(feeds);
  for (const [i, { shape }] of entry.inputs.entries()) {
    const name = `x${i}`;
    const direction = Float32Array.from(random.randint(0, 2, sizeOf(shape)), (bit) => 2 * bit - 1);
    const valueAt = async (distance: number) => {
      const moved = feeds[name].data.map((value, j) => value + distance * direction[j]);
      return dot((await run({ ...feeds, [name]: tensorData(shape, moved) })).y, feeds.weight.data);
    };
    const slope = async (step: number) => {
      const [a, b, c, d] = [
        ...[await valueAt(-2 * step), await valueAt(-step)],
        ...[await valueAt(step), await valueAt(2 * step)],
      ] as const;
      return (a! - 8 * b! + 8 * c! - d!) / (12 * step);
    };
    const gradient = found[`g${i}`];
    const claimed = dot(gradient, direction);
    const scale = Math.sqrt(dot(gradient, gradient)) + 0.05 * Math.sqrt(dot(feeds.weight.data, feeds.weight.data));
    const agrees = (measured: number) => Math.abs(measured - claimed) <= 1e-3 * scale;
    const coarse = await slope(1 / 64);
    // Four numbers that happen to lie close together are normalised along a curve that is steep and short.
    const measured = agrees(coarse) ? coarse : await slope(1 / 512);
    assert.ok(
      agrees(measured),
      `gradient of ${name} along a direction: ${claimed}, finite differences ${coarse}, ${measured}`,
    );
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
