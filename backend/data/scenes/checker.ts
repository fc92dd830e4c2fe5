/**
 * Reads class, colours and place of the shape back from the pixels of a scene, with no learned weights, and refuses
 * what is not a scene: noise, blanks, melted or blurred shapes, several shapes.
 *
 * 1. The ground, a linear gradient per channel, is fitted to the image's frame, outliers dropped.
 * 2. What differs most from it gives a first shape colour, hence for every pixel how much of it "is shape".
 * 3. Every class is fitted to that map (pose-fit.ts); the pixels are then explained by least squares as
 *    ground + coverage * (shape colour - ground), with ground and colour free.
 *
 * A fit's **misfit** is its squared error, less what the image's own fine noise explains, divided by the squared contrast of
 * shape and ground: the number of pixels that are plainly wrong. The image is accepted as the class of the least misfit
 * if the shape stands out, noise and size are within what scenes have (with room for a generator's softness), the misfit
 * is a small part of the shape's area, and every other class explains the image clearly worse.
 */
import type { TensorData } from '../../graph/tensor-data.ts';
import { explain, firstGuess, noiseOf } from './pixel-model.ts';
import { fitPoses } from './pose-fit.ts';
import { type Colour, colourDistance, sceneBounds } from './scene.ts';
import { coverage, type Pose, shapes } from './shapes.ts';

/** The acceptance rule's numbers. */
const checkerLimits = {
  /** Least distance of shape colour and ground; true scenes have at least 1 below the centre. */
  contrast: 0.6,
  /** Largest standard deviation of the pixel noise. */
  noise: 0.1,
  /** How far the reach may lie outside the scenes' range, as a factor. */
  reach: 1.15,
  /** Largest misfit, as a fraction of the shape's area. */
  misfit: 0.05,
  /** The runner-up's misfit must be at least this many times the best, and this many pixels more. */
  ratio: 3,
  margin: 2,
} as const;

/** Classes that are fitted to the end; the others lie far off at first sight. */
const CANDIDATES = 6;

export interface Verdict {
  /** Whether the image is a scene; if not, `reason` says why not and the rest is the best guess, where there is one. */
  readonly accepted: boolean;
  readonly reason?: string;
  /** Class id of the best fit; undefined when nothing stands out from the ground. */
  readonly shape?: number;
  readonly shapeColour?: Colour;
  /** The ground's colour below the shape's centre. */
  readonly groundColour?: Colour;
  /** Pixels; y down. */
  readonly pose?: Pose;
  /** Misfit of the best class and of the next best, in pixels. */
  readonly misfit?: number;
  readonly runnerUpMisfit?: number;
  /** Standard deviation of the noise left after the best fit. */
  readonly noise?: number;
}

/** Reads one image, [3, size, size] or the same numbers flat, values near [-1, 1]. */
export function checkScene(image: TensorData | Float32Array, size = 32): Verdict {
  const data = 'data' in image ? image.data : image;
  if (data.length !== 3 * size * size)
    throw new Error(`checkScene: ${data.length} numbers are not 3 x ${size} x ${size}`);
  if (!data.every(Number.isFinite)) return { accepted: false, reason: 'a pixel is not finite' };
  const guess = firstGuess(data, size, checkerLimits.contrast);
  if (typeof guess === 'string') return { accepted: false, reason: guess };
  const cover = new Float32Array(size * size);
  const fits = fitPoses(guess.map, size, guess.blob, CANDIDATES).map(({ id, pose }) => ({
    id,
    pose,
    ...explain(data, coverage(shapes[id]!, pose, size, cover), size, pose),
  }));
  fits.sort((a, b) => a.squaredError - b.squaredError);
  const [best, next] = fits as [(typeof fits)[number], (typeof fits)[number]];
  const contrast = colourDistance(best.shapeColour, best.groundColour);
  const noise = noiseOf(best.left);
  const misfit = ({ squaredError }: { squaredError: number }) =>
    Math.max(0, squaredError - noise ** 2 * data.length) / contrast ** 2;
  const verdict = {
    shape: best.id,
    shapeColour: best.shapeColour,
    groundColour: best.groundColour,
    pose: best.pose,
    misfit: misfit(best),
    runnerUpMisfit: misfit(next),
    noise,
  };
  const reason = objection(verdict, contrast, size);
  return reason === undefined ? { accepted: true, ...verdict } : { accepted: false, reason, ...verdict };
}

/** What speaks against an image whose best fit is this; undefined when nothing does. */
function objection(best: Required<Omit<Verdict, 'accepted' | 'reason'>>, contrast: number, size: number) {
  const limits = checkerLimits;
  const { name, area } = shapes[best.shape]!;
  if (!(contrast >= limits.contrast)) return `shape and ground differ by only ${contrast.toFixed(2)}`;
  if (best.noise > limits.noise) return `noise of ${best.noise.toFixed(2)}`;
  const reach = best.pose.reach / size;
  const [least, most] = sceneBounds.reach;
  if (reach < least / limits.reach || reach > most * limits.reach) return `a reach of ${reach.toFixed(2)} of the image`;
  const allowed = limits.misfit * area * best.pose.reach ** 2;
  if (best.misfit > allowed)
    return `${best.misfit.toFixed(1)} pixels are wrong for a ${name} (${allowed.toFixed(1)} allowed)`;
  if (best.runnerUpMisfit < best.misfit * limits.ratio || best.runnerUpMisfit < best.misfit + limits.margin) {
    return `${name} is not clearly better than the next class`;
  }
  return undefined;
}

/** Whether the image is a scene of that class. */
export function acceptedFor(image: TensorData | Float32Array, shape: number, size = 32): boolean {
  const verdict = checkScene(image, size);
  return verdict.accepted && verdict.shape === shape;
}

/** Reads every image of a batch [B, 3, size, size]. */
export function checkScenes({ data, shape }: TensorData): Verdict[] {
  const [count, , size] = shape as [number, number, number];
  const numbers = 3 * size * size;
  return Array.from({ length: count }, (_, i) => checkScene(data.subarray(i * numbers, (i + 1) * numbers), size));
}
