/** `dmd score`: how good a model's pictures of "scenes" are, and how long one takes. */
import type { Command } from 'commander';
import { deviceOptions, positiveInteger, wholeNumber } from '../arguments.ts';
import { type CommonOptions, commonOptions, createOutput, table } from '../output.ts';

interface ScoreOptions extends CommonOptions {
  readonly count: number;
  readonly checked: number;
  readonly steps?: number;
  readonly seed: number;
  readonly device: string;
  readonly threads: number;
}

export function registerScore(program: Command): void {
  const command = commonOptions(program.command('score'))
    .description(
      'how good pictures of "scenes" are: Frechet distance to held-out ones, the share the checker accepts, time per picture',
    )
    .argument('<model...>', 'model files, or builtin:scenes (the generator) and builtin:scenes/teacher')
    .option('--count <n>', 'pictures for the distance, and as many held-out scenes', positiveInteger, 2000)
    .option('--checked <n>', 'pictures shown to the checker of shape and colours', positiveInteger, 1000)
    .option(
      '--steps <n>',
      'Heun steps; 1 is a single call (default: 1 for a generator, 18 for a teacher)',
      positiveInteger,
    )
    .option('--seed <n>', 'seed of the first picture; the next ones follow', wholeNumber, 100_000)
    .action(score);
  deviceOptions(command, 'auto');
}

async function score(models: string[], options: ScoreOptions): Promise<void> {
  const output = createOutput(options);
  const { count, checked, seed, device, threads } = options;
  const { openEngine } = await import('../../engine/devices.ts');
  const { parseDevice } = await import('../../engine/open.ts');
  const { generatorCalls, openModel } = await import('../../models/model-file.ts');
  const { SceneScorer } = await import('../../evaluate/scene-scorer.ts');
  const { createProgress, progressMode } = await import('../progress.ts');
  const { engine } = await openEngine({ device: parseDevice(device), threads });
  const scorer = await SceneScorer.create(engine, count);
  const rows = [['model', 'calls', `FD (scenes features, ${count})`, `accepted (of ${checked})`, 'ms per image']];
  for (const name of models) {
    const model = await openModel(name);
    const steps = options.steps ?? (model.role === 'generator' ? generatorCalls(model) : 18);
    const calls = steps <= generatorCalls(model) ? steps : 2 * steps - 1;
    const progress = createProgress(progressMode(output.json), name, Math.max(count, checked), { unit: 'images' });
    const onProgress = (done: number) => progress.update(done);
    const { generatorSigma: sigma, again, deterministic } = model;
    const request = { seed, steps, sigma, again, deterministic, count, checked, onProgress };
    const result = await scorer.score(model.network, model.weights, request);
    progress.end();
    const milliseconds = 1000 * result.secondsPerImage;
    output.event('score', { model: name, steps, calls, seed, count, checked, ...result });
    const share = `${(100 * result.accepted).toFixed(1)} %`;
    rows.push([name, String(calls), result.distance.toFixed(3), share, milliseconds.toFixed(1)]);
  }
  for (const line of table(rows)) output.line(line);
  await scorer.dispose();
  await engine.dispose();
}
