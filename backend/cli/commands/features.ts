/** `dmd features`: trains the small network whose features carry the Frechet distance on "scenes". */
import type { Command } from 'commander';
import { positiveInteger, threadsOption, wholeNumber } from '../arguments.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

interface FeaturesOptions extends CommonOptions {
  readonly out: string;
  readonly iterations: number;
  readonly batch: number;
  readonly seed: number;
  readonly threads: number;
}

export function registerFeatures(program: Command): void {
  const command = commonOptions(program.command('features'))
    .description('train the small network whose features the Frechet distance on "scenes" is taken in')
    .option('--out <file>', 'the file to write', 'features.safetensors')
    .option('--iterations <n>', 'updates', positiveInteger, 1500)
    .option('--batch <n>', 'scenes per update', positiveInteger, 64)
    .option('--seed <n>', 'seed of weights and data order', wholeNumber, 1)
    .action(features);
  threadsOption(command, 0);
}

/** Scenes it learns from, and those it is tested on; the teacher's set is 0. */
const dataSeeds = { train: 2, test: 3 };
const testCount = 2000;

async function features({ out, iterations, batch, seed, threads, ...common }: FeaturesOptions): Promise<void> {
  const output = createOutput(common);
  const { createOnnxRuntimeEngine } = await import('../../engine/onnxruntime/engine.ts');
  const { teachFeatures } = await import('../../teach/teach-features.ts');
  const { SceneFeatures } = await import('../../evaluate/scene-scores.ts');
  const { sceneBatch } = await import('../../data/scenes/scene.ts');
  const { writeSafetensors } = await import('../../weights/safetensors.ts');
  const { createProgress, progressMode } = await import('../progress.ts');
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads });
  const options = { seed, dataSeed: dataSeeds.train, iterations, batch, learningRate: 2e-3 };
  const progress = createProgress(progressMode(output.json), 'feature network', iterations);
  const weights = await teachFeatures(engine, options, (step, loss) => progress.update(step, { loss }));
  progress.end();
  const network = await SceneFeatures.create(engine, weights);
  const { images, classes } = sceneBatch(dataSeeds.test, [...Array(testCount).keys()]);
  const logits = await network.logits(images);
  const right = classes.filter((id, i) => {
    const row = logits.subarray(i * 10, i * 10 + 10);
    return row.indexOf(Math.max(...row)) === id;
  }).length;
  const metadata = { 'dmd.role': 'scene-features', 'dmd.training': JSON.stringify(options) };
  await writeSafetensors(out, weights, { metadata, dtype: 'F16' });
  output.line(`names the shape of ${right} of ${testCount} unseen scenes; written to ${out}`);
  output.event('features', { out, right, of: testCount });
  await engine.dispose();
}
