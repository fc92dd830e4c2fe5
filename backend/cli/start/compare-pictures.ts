/** Teacher and generator drawn from the same noise, side by side in one PNG, and how long each takes. */
import { join } from 'node:path';
import { encodePng, imageGrid } from '../../data/png.ts';
import type { Engine } from '../../engine/engine.ts';
import { writeFileAtomic } from '../../files/atomic.ts';
import type { TensorData } from '../../graph/tensor-data.ts';
import type { Model } from '../../models/model-file.ts';
import { SeededSource } from '../../sampling/seeded-images.ts';

const rows = 5;
const classes = 10;
const gap = 2;

export interface Pictures {
  readonly file: string;
  readonly teacherSeconds: number;
  readonly generatorSeconds: number;
}

/** One column per class; the left half shows the teacher (18 Heun steps), the right half the generator (one call). */
export async function comparePictures(
  engine: Engine,
  teacher: Model,
  generator: Model,
  folder: string,
): Promise<Pictures> {
  const count = rows * classes;
  const seeds = Array.from({ length: count }, (_, i) => i);
  const shown = { seeds, classes: seeds.map((i) => i % classes), sampler: 'edm', samplerOptions: {} } as const;
  const draw = async ({ network, weights, generatorSigma: sigma }: Model, steps: number) => {
    const source = await SeededSource.create(engine, network, weights, count);
    await source.draw({ ...shown, steps: 1, sigma }); // warms up
    const drawn = await source.draw({ ...shown, steps, sigma });
    await source.dispose();
    return drawn;
  };
  const left = await draw(teacher, 18);
  const right = await draw(generator, 1);
  const file = join(folder, 'teacher-and-generator.png');
  const text = { Description: 'left: teacher, 18 Heun steps; right: generator, one call; same noise' };
  writeFileAtomic(
    file,
    encodePng(sideBySide(imageGrid(left.images, classes, gap), imageGrid(right.images, classes, gap)), text),
  );
  return { file, teacherSeconds: left.secondsPerImage, generatorSeconds: right.secondsPerImage };
}

/** Two pictures [C, H, W] of equal height with a gap of white between them. */
function sideBySide(left: TensorData, right: TensorData): TensorData {
  const [channels, height, leftWidth] = left.shape;
  const middle = 8;
  const width = leftWidth + middle + right.shape[2];
  const data = new Float32Array(channels * height * width).fill(1);
  for (let row = 0; row < channels * height; row++) {
    data.set(left.data.subarray(row * leftWidth, (row + 1) * leftWidth), row * width);
    data.set(right.data.subarray(row * right.shape[2], (row + 1) * right.shape[2]), row * width + leftWidth + middle);
  }
  return { shape: [channels, height, width], data };
}
