/** The work of `dmd features`: trains the network, tests it on pictures that it has not seen, and writes it. */
import { basename } from 'node:path';
import { sceneBatch } from '../../data/scenes/scene.ts';
import { createOnnxRuntimeEngine } from '../../engine/onnxruntime/engine.ts';
import { PictureFeatures } from '../../evaluate/picture-features.ts';
import { sceneKind } from '../../metrics/feature-network.ts';
import { sceneFeatureBatches } from '../../teach/scene-features.ts';
import { teachFeatures } from '../../teach/teach-features.ts';
import { writeSafetensors } from '../../weights/safetensors.ts';
import { interruptible } from '../interrupt.ts';
import type { Output } from '../output.ts';
import { createProgress, progressMode } from '../progress.ts';
import { dataFeatures } from './data-features.ts';
import { type FeaturesOptions, type FeaturesWork, learningRate, type Tested } from './options.ts';

export async function featuresCommand(options: FeaturesOptions, output: Output): Promise<void> {
  const { out, data, iterations, threads } = options;
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads });
  const progress = createProgress(progressMode(output.json), 'feature network', iterations);
  const onStep = (step: number, loss: number) => progress.update(step, { loss });
  try {
    const { right, of } = await interruptible((signal) => {
      const work = { engine, signal, onStep };
      return data === undefined
        ? sceneFeatures(options, work)
        : dataFeatures({ ...options, data, name: options.name ?? basename(data) }, work);
    });
    progress.end();
    const share = ((100 * right) / of).toFixed(2);
    output.line(`names the class of ${right} of ${of} unseen pictures, ${share} %; written to ${out}`);
    output.event('features', { out, right, of });
  } finally {
    progress.end();
    await engine.dispose();
  }
}

/** Scenes it learns from, and those it is tested on; the teacher's set is 0. */
const dataSeeds = { train: 2, test: 3 };
const testCount = 2000;

async function sceneFeatures(
  { out, seed, iterations, batch }: FeaturesOptions,
  { engine, signal, onStep }: FeaturesWork,
): Promise<Tested> {
  const training = { seed, dataSeed: dataSeeds.train, iterations, batch, learningRate };
  const draw = sceneFeatureBatches(dataSeeds.train, { seed, batch });
  const weights = await teachFeatures(engine, { ...training, kind: sceneKind, draw, signal }, onStep);
  const network = await PictureFeatures.create(engine, weights, sceneKind);
  const { images, classes } = sceneBatch(dataSeeds.test, [...Array(testCount).keys()]);
  const found = await network.classes(images);
  await network.dispose();
  const metadata = { 'dmd.role': 'scene-features', 'dmd.training': JSON.stringify(training) };
  await writeSafetensors(out, weights, { metadata, dtype: 'F16' });
  return { right: classes.filter((id, i) => id === found[i]).length, of: testCount };
}
