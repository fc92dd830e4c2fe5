/**
 * The measures of one model: pictures are drawn chunk by chunk, and of each only features and scores are kept. Latency is
 * that of one picture asked for alone, the median of several after a first one.
 */

import type { TensorData } from '../graph/tensor-data.ts';
import { meanDistance } from '../metrics/energy-distance.ts';
import { FeatureAccumulator } from '../metrics/feature-statistics.ts';
import { frechetDistance } from '../metrics/frechet.ts';
import { type PairProducts, precisionRecall } from '../metrics/precision-recall.ts';
import { UserError } from '../protocol/errors.ts';
import { alone, type Ranks } from '../ranks/ranks.ts';
import type { Contestant } from './contestant.ts';
import type { FeatureSpace } from './feature-space.ts';
import type { Reference } from './reference.ts';
import { type Chunk, inRounds, type Rounds } from './rounds.ts';

/** How well images fit their prompts. */
export interface PromptScorer {
  /** What the number is called, with the network it is taken in. */
  readonly name: string;
  /** One score per image [N, C, H, W]. */
  scores(images: TensorData, prompts: readonly string[]): Promise<readonly number[]>;
}

export interface EvaluateOptions {
  readonly contestant: Contestant;
  readonly count: number;
  /** Picture i is drawn from seed `seed` + i. */
  readonly seed: number;
  /** Repeated where they are fewer than the pictures; null for a model that takes none. */
  readonly prompts: readonly string[] | null;
  /** Null where there is nothing to compare with: then only latency and prompt scores are measured. */
  readonly compared: { readonly space: FeatureSpace; readonly reference: Reference } | null;
  readonly promptScorer: PromptScorer | null;
  /** Replaces the products of pairs of features on the host. */
  readonly products?: PairProducts;
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
  /** That share the pictures: the leader evaluates, the others help. Left out, this process alone. */
  readonly ranks?: Ranks;
}

export interface Evaluation {
  readonly calls: number;
  /** Of one picture alone. */
  readonly secondsPerImage: number;
  readonly distance: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
  /** Mean distance of two pictures over that of two of the reference, in the features; 1 is as diverse. */
  readonly diversity: number | null;
  /** Mean over the pictures. */
  readonly promptScore: number | null;
  /** Share of pictures that show what was asked for, 0..1. */
  readonly right: number | null;
  /** The same by what was asked for, such as `colours`; empty where there are no parts. */
  readonly rightParts: Readonly<Record<string, number>>;
}

/** Of a chunk of pictures. */
interface Found {
  readonly right: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Sum of prompt scores, as text: JSON has no NaN. */
  readonly promptScore: string;
}

/** Throws UserError: 'usage' where model and prompts do not go together, 'cancelled', and what the parts throw. */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { contestant, count, seed, compared, promptScorer } = options;
  const prompts = promptsOf(options);
  const secondsPerImage = await latency(contestant, seed, prompts?.[0] ?? null);
  const accumulator = new FeatureAccumulator();
  const dims = compared?.space.dims ?? 0;
  const features = new Float32Array(count * dims);
  let [right, promptScore] = [0, 0];
  const rightParts: Record<string, number> = {};
  await measureAll(options, (chunk, { features: data, found }) => {
    if (compared) {
      accumulator.add({ shape: [chunk.length, dims], data });
      features.set(data, chunk[0]! * dims);
    }
    right += found.right;
    for (const [part, of] of Object.entries(found.parts)) rightParts[part] = (rightParts[part] ?? 0) + of / count;
    promptScore += Number(found.promptScore);
    options.onProgress?.(chunk.at(-1)! + 1);
  });
  const reference = compared?.reference ?? null;
  const manifold = reference?.features
    ? await precisionRecall(reference.features, { shape: [count, dims], data: features }, manifoldOptions(options))
    : { precision: null, recall: null };
  const diversity = reference?.features ? spreadOf(features, dims) / spreadOf(reference.features.data, dims) : null;
  return {
    calls: contestant.calls,
    secondsPerImage,
    distance: reference && frechetDistance(accumulator.statistics(), { count: 0, ...reference.statistics }),
    ...manifold,
    diversity,
    promptScore: promptScorer && prompts ? promptScore / count : null,
    right: reference?.right ? right / count : null,
    rightParts,
  };
}

/** Measures this rank's share of what the leader evaluates with the same options. Throws as `evaluate`. */
export function helpEvaluate(options: EvaluateOptions): Promise<void> {
  return measureAll(options, () => {});
}

function measureAll(options: EvaluateOptions, take: Rounds<Found>['take']): Promise<void> {
  const { contestant, count, seed, compared, promptScorer, signal, ranks = alone } = options;
  const prompts = promptsOf(options);
  const dims = compared?.space.dims ?? 0;
  const measure = async (indices: Chunk) => {
    const seeds = indices.map((index) => seed + index);
    const own = prompts && indices.map((index) => prompts[index % prompts.length]);
    const images = await contestant.draw({ seeds, prompts: own, ...(signal ? { signal } : {}) });
    const features = (await compared?.space.features(images)) ?? new Float32Array();
    const { classes } = contestant;
    const asked = indices.map((index, i) => ({ index, class: classes > 0 ? seeds[i] % classes : -1 }));
    const counts = (await compared?.reference.right?.(images, asked)) ?? { all: 0, parts: {} };
    const scores = promptScorer && own ? await promptScorer.scores(images, own) : [];
    const promptScore = String(scores.reduce((a, b) => a + b, 0));
    return { features, found: { right: counts.all, parts: counts.parts, promptScore } };
  };
  return inRounds({ ranks, count, dims, signal, measure, take });
}

/** Pairs are many: so many of the first pictures tell it within a few per cent. */
const spreadPictures = 1000;

/** @param features [N, dims] */
function spreadOf(features: Float32Array, dims: number): number {
  const data = features.subarray(0, spreadPictures * dims);
  return meanDistance({ data, count: data.length / dims });
}

/** Pictures per side of a block of pairs. */
export const pairSide = 1000;
const manifoldOptions = ({ products }: EvaluateOptions) => ({ chunk: pairSide, ...(products ? { products } : {}) });

function promptsOf({ contestant: { name, takesPrompts }, prompts }: EvaluateOptions): readonly string[] | null {
  if (takesPrompts && !prompts?.length) {
    throw new UserError('usage', `${name} needs prompts.`, 'Give a text file or COCO captions with --captions.');
  }
  return takesPrompts ? prompts : null;
}

/** At most so many pictures and seconds go into the median. */
const latencyRuns = 9;
const latencyLimit = 10;

async function latency(contestant: Contestant, seed: number, prompt: string | null): Promise<number> {
  await contestant.drawOne(seed, prompt);
  const seconds: number[] = [];
  let total = 0;
  while (seconds.length < latencyRuns && total < latencyLimit) {
    const began = performance.now();
    await contestant.drawOne(seed + seconds.length, prompt);
    seconds.push((performance.now() - began) / 1000);
    total += seconds.at(-1)!;
  }
  return seconds.sort((a, b) => a - b)[Math.floor(seconds.length / 2)];
}
