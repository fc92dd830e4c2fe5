/** The steps of `dmd start`, in the order a person sees them. */
import { openEngine } from '../../engine/devices.ts';
import { type SceneScore, SceneScorer } from '../../evaluate/scene-scorer.ts';
import { openModel } from '../../models/model-file.ts';
import type { Output } from '../output.ts';
import { comparePictures } from './compare-pictures.ts';
import { distillFor } from './distill-for.ts';

export interface JobOptions {
  /** How long to distill, in seconds of iterations. */
  readonly seconds: number;
  /** Pictures per Frechet distance. */
  readonly count: number;
  /** Noise-image pairs to make for the regression loss. */
  readonly pairs: number;
  readonly device: string;
  readonly threads: number;
  /** Folder of run folders. */
  readonly out: string;
}

/** Pictures the checker looks at; it takes some 15 ms for each. */
const checked = 300;
/** Seed of the noise that both ends are scored with. */
const scoreSeed = 100_000;

export async function startJob(options: JobOptions, output: Output): Promise<void> {
  const { device, threads, count, seconds, out } = options;
  const teacher = await openModel('builtin:scenes/teacher');
  const { engine, device: name, why } = await openEngine({ device, threads });
  output.line(
    `Built-in model "scenes": ${teacher.network.layout.size.toLocaleString('en')} parameters, on ${name} (${why}).`,
  );

  output.line('\n1. The teacher called once, untrained for it: where the generator starts.');
  const scorer = await SceneScorer.create(engine, count);
  const request = { seed: scoreSeed, steps: 1, sigma: teacher.generatorSigma, count, checked };
  const before = await scorer.score(teacher.network, teacher.weights, request);
  report(output, 'before', before, count);

  output.line(`\n2. Distilling it live for ${seconds} s. Ctrl-C stops early; nothing is lost.`);
  const trained = await distillFor({ seconds, pairs: options.pairs, root: out, device: name, threads }, output);
  const after = await scorer.score(teacher.network, trained.weights, request);
  report(output, 'after', after, count);
  const change = before.distance / after.distance;
  output.line(
    `   FD ${before.distance.toFixed(1)} -> ${after.distance.toFixed(1)} (${change.toFixed(1)} times lower) in ${trained.steps} iterations.`,
  );

  output.line('\n3. The shipped generator, distilled the same way for longer, beside its teacher.');
  const shipped = await openModel('builtin:scenes');
  const final = await scorer.score(shipped.network, shipped.weights, { ...request, sigma: shipped.generatorSigma });
  report(output, 'shipped', final, count);
  const pictures = await comparePictures(engine, teacher, shipped, trained.folder);
  output.line(`   teacher, 18 Heun steps (35 calls): ${milliseconds(pictures.teacherSeconds)} per image`);
  output.line(`   generator, one call:               ${milliseconds(pictures.generatorSeconds)} per image`);
  output.line(
    `   ${(pictures.teacherSeconds / pictures.generatorSeconds).toFixed(0)} times faster. Same noise, side by side: ${pictures.file}`,
  );
  output.event('pictures', { ...pictures });

  output.line(`\nThe run: ${trained.folder}  (tensorboard --logdir ${out} shows its curves)`);
  output.line(`Go on with it: npx dmd distill --resume ${trained.folder}`);
  await scorer.dispose();
  await engine.dispose();
}

function report(output: Output, label: string, score: SceneScore, count: number): void {
  const accepted = (100 * score.accepted).toFixed(0);
  output.line(
    `   FD ${score.distance.toFixed(2)} (scenes features, ${count} pictures against ${count} held-out scenes); ` +
      `${accepted} % of ${checked} show the class asked for.`,
  );
  output.event('score', { label, count, checked, ...score });
}

const milliseconds = (seconds: number) => `${(1000 * seconds).toFixed(1)} ms`;
