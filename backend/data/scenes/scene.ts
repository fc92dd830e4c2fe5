/**
 * The procedural data set "scenes": one shape on a coloured ground with a linear gradient.
 *
 * Every scene is a pure function of (seed, index), so a data set needs no files, a held-out set is another seed, and
 * any picture can be made again from two numbers. Everything but the class varies continuously.
 */
import { type TensorData, tensorData } from '../../graph/tensor-data.ts';
import { stream } from '../../random/stream.ts';
import { coverage, shapes } from './shapes.ts';

/** Red, green, blue, each in [-1, 1]. */
export type Colour = readonly [number, number, number];

export interface SceneParameters {
  /** Class id: an index into `shapes`. */
  readonly shape: number;
  /** Centre of mass of the shape, in fractions of the image side; y points down. */
  readonly x: number;
  readonly y: number;
  /** Distance from the centre to the shape's farthest point, in fractions of the image side. */
  readonly reach: number;
  /** Radians. */
  readonly rotation: number;
  readonly shapeColour: Colour;
  /** The ground in the middle of the image. */
  readonly groundColour: Colour;
  /** What the gradient adds in the corner it points to. */
  readonly gradient: Colour;
  /** The direction of the gradient, radians. */
  readonly gradientAngle: number;
}

/** Where the parameters come from; the checker knows these bounds too. */
export const sceneBounds = {
  reach: [0.25, 0.39],
  /** Least distance of the farthest point from the image's edge. */
  margin: 0.02,
  shapeColour: 0.95,
  groundColour: 0.75,
  gradient: 0.25,
  /** Least Euclidean distance between the shape's colour and the ground below its centre. */
  contrast: 1,
} as const;

/** The scene number `index` (0, 1, ...) of the data set `seed`. */
export function sceneParameters(seed: number, index: number): SceneParameters {
  const generator = stream(seed, 'scene', index);
  const shape = generator.randint(0, shapes.length, 1)[0]!;
  const uniform = () => generator.rand(1)[0]!;
  const symmetric = (limit: number) => (2 * uniform() - 1) * limit;
  const colour = (limit: number): Colour => [symmetric(limit), symmetric(limit), symmetric(limit)];
  const bounds = sceneBounds;
  const reach = bounds.reach[0] + (bounds.reach[1] - bounds.reach[0]) * uniform();
  const room = 1 - 2 * (reach + bounds.margin);
  const drawn = {
    shape,
    x: 0.5 + room * (uniform() - 0.5),
    y: 0.5 + room * (uniform() - 0.5),
    reach,
    rotation: 2 * Math.PI * uniform(),
    groundColour: colour(bounds.groundColour),
    gradient: colour(bounds.gradient),
    gradientAngle: 2 * Math.PI * uniform(),
  };
  const below = groundAt(drawn, drawn.x, drawn.y);
  let shapeColour = colour(bounds.shapeColour);
  while (colourDistance(shapeColour, below) < bounds.contrast) shapeColour = colour(bounds.shapeColour);
  return { ...drawn, shapeColour };
}

export function colourDistance(a: Colour, b: Colour): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** The ground's colour at a place given in fractions of the image side. */
export function groundAt(
  scene: Pick<SceneParameters, 'groundColour' | 'gradient' | 'gradientAngle'>,
  x: number,
  y: number,
): Colour {
  const { groundColour, gradient, gradientAngle } = scene;
  const along = Math.SQRT2 * ((x - 0.5) * Math.cos(gradientAngle) + (y - 0.5) * Math.sin(gradientAngle));
  const at = (c: 0 | 1 | 2) => groundColour[c] + along * gradient[c];
  return [at(0), at(1), at(2)];
}

/** Draws a scene: [3, size, size] in [-1, 1], anti-aliased. */
export function renderScene(scene: SceneParameters, size = 32): TensorData {
  const pixels = size * size;
  const data = new Float32Array(3 * pixels);
  paint(scene, size, new Float32Array(pixels), data);
  return tensorData([3, size, size], data);
}

/** Draws into `out` (3 * size * size numbers); `cover` is scratch for size * size. */
function paint(scene: SceneParameters, size: number, cover: Float32Array, out: Float32Array): void {
  const pixels = size * size;
  const { reach, rotation } = scene;
  const pose = { x: scene.x * size, y: scene.y * size, reach: reach * size, rotation };
  coverage(shapes[scene.shape]!, pose, size, cover);
  const stepX = (Math.SQRT2 * Math.cos(scene.gradientAngle)) / size;
  const stepY = (Math.SQRT2 * Math.sin(scene.gradientAngle)) / size;
  const middle = size / 2 - 0.5;
  for (let c = 0; c < 3; c++) {
    const plane = out.subarray(c * pixels, (c + 1) * pixels);
    const ground = scene.groundColour[c]!;
    const gradient = scene.gradient[c]!;
    const colour = scene.shapeColour[c]!;
    for (let row = 0, i = 0; row < size; row++) {
      for (let column = 0; column < size; column++, i++) {
        const below = ground + gradient * (stepX * (column - middle) + stepY * (row - middle));
        plane[i] = below + cover[i]! * (colour - below);
      }
    }
  }
}

export interface SceneBatch {
  /** [B, 3, size, size] in [-1, 1]. */
  readonly images: TensorData;
  readonly classes: Int32Array;
  readonly parameters: readonly SceneParameters[];
}

/** Draws the given scenes of the data set `seed`. */
export function sceneBatch(seed: number, indices: readonly number[], size = 32): SceneBatch {
  const parameters = indices.map((index) => sceneParameters(seed, index));
  const numbers = 3 * size * size;
  const data = new Float32Array(parameters.length * numbers);
  const cover = new Float32Array(size * size);
  for (const [i, scene] of parameters.entries()) {
    paint(scene, size, cover, data.subarray(i * numbers, (i + 1) * numbers));
  }
  const images = tensorData([parameters.length, 3, size, size], data);
  return { images, classes: Int32Array.from(parameters, ({ shape }) => shape), parameters };
}
