/** `dmd distill --plan`: memory and time of a config on this device, before it is begun. */
import { applyOverrides, type Config } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { resolvePaths } from '../../runs/config-file.ts';
import type { Output } from '../output.ts';

export async function printPlan(asked: Config, set: readonly string[], output: Output): Promise<void> {
  const { planDistillation } = await import('../../runs/plan/plan.ts');
  const config = resolvePaths(applyOverrides(asked, set), process.cwd());
  if (config.kind !== 'distill') throw new UserError('usage', '--plan is for distillations', 'Leave it out.');
  output.line('Trying a few iterations on random weights: seconds, or minutes for a large network.');
  const plan = await planDistillation(config);
  const { parameters, memory, pairs } = plan;
  const trained = (count: number) => (count === parameters.network ? 'all' : millions(count));
  output.line(`${config.name ?? 'distillation'} on ${plan.device}`);
  output.line(
    `  network     ${millions(parameters.network)} parameters; trained of the generator: ${trained(parameters.generator)}, of the fake score: ${trained(parameters.fake)}`,
  );
  output.line(
    `  memory      ${bytes(memory.total)}: parameters and optimizer ${bytes(memory.weights)}, values in between ${bytes(memory.activations)}, recording ${bytes(memory.recording)}`,
  );
  output.line(`  one update  ${duration(plan.secondsPerUpdate)}, ${plan.imagesPerUpdate} images`);
  if (plan.recordingPerUpdate > 0) output.line(`  recording   ${duration(plan.recordingPerUpdate)} an update`);
  if (pairs) output.line(`  pairs       ${duration(pairs.seconds)} for ${pairs.count}`);
  output.line(`  in all      ${duration(plan.seconds)} for ${config.iterations} updates`);
  output.line(
    plan.tried
      ? 'Measured: a few iterations of this size on random weights.'
      : 'Estimated: a few iterations of a smaller network of this kind, scaled by operations and bytes.',
  );
  output.event('plan', { ...plan });
}

const millions = (count: number) => `${(count / 1e6).toPrecision(3)} M`;
const bytes = (count: number) => (count < 1e9 ? `${(count / 1e6).toFixed(0)} MB` : `${(count / 1e9).toFixed(1)} GB`);

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toPrecision(3)} s`;
  if (seconds < 3600) return `${(seconds / 60).toPrecision(3)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toPrecision(3)} h` : `${(seconds / 86_400).toPrecision(3)} days`;
}
