/** `--plan` of `dmd distill` and `dmd teach`: memory and time of a config on this device, before it is begun. */
import { applyOverrides, type Config, type DistillConfig } from '../../protocol/config/index.ts';
import { findLauncher, launcherOptions } from '../../ranks/launch/launcher.ts';
import type { WantedRanks } from '../../ranks/launch/wanted.ts';
import { resolvePaths } from '../../runs/config-file.ts';
import type { Plan } from '../../runs/plan/plan.ts';
import type { Output } from '../output.ts';

/** @param several what the run will be started as, where that is more than one rank */
export async function printPlan(
  asked: Config,
  set: readonly string[],
  output: Output,
  several?: WantedRanks,
): Promise<void> {
  const config = resolvePaths(applyOverrides(asked, set), process.cwd());
  // What would keep the ranks from being started is said before minutes are spent.
  const launcher = several && (await findLauncher(process.env));
  if (launcher) launcherOptions(launcher, several, []);
  if (config.kind === 'distill') await printDistillation(config, output);
  else await printTeaching(config, output);
  if (!launcher) return;
  const { ranks, hostfile } = several;
  const where = hostfile === undefined ? 'on this machine' : `on the machines of ${hostfile}`;
  output.line(
    `  ranks       ${ranks} ${where}, started by ${launcher.kind} ${launcher.version}. What is said above is one`,
  );
  output.line(
    `              rank's by itself: ${ranks} make an update of ${ranks} times the images, and wait for each other.`,
  );
  output.event('ranks', { ranks, hostfile: hostfile ?? null, launcher: launcher.kind, version: launcher.version });
}

async function printTeaching(config: Exclude<Config, DistillConfig>, output: Output): Promise<void> {
  const { planTeaching } = await import('../../runs/plan/teach-plan.ts');
  output.line('Checking everything the config names and trying a few iterations: seconds, or minutes for much data.');
  const plan = await planTeaching(config);
  output.line(`${config.name ?? config.kind} on ${plan.device}`);
  output.line(`  memory      ${bytes(plan.memory.total)}`);
  printTime(config, plan, output);
  output.line('Measured: a few iterations of the run itself.');
  output.event('plan', { ...plan });
}

async function printDistillation(config: DistillConfig, output: Output): Promise<void> {
  const { planDistillation } = await import('../../runs/plan/plan.ts');
  output.line('Trying a few iterations on random weights: seconds, or minutes for a large network.');
  const plan = await planDistillation(config);
  const { parameters, memory } = plan;
  const { network } = parameters;
  const trained = Object.entries(parameters.trained).map(
    ([name, count]) =>
      `of the ${name === 'fake' ? 'fake score' : name}: ${count === network ? 'all' : millions(count)}`,
  );
  output.line(`${config.name ?? 'distillation'} on ${plan.device}`);
  output.line(`  network     ${millions(network)} parameters; trained ${trained.join(', ')}`);
  output.line(
    `  memory      ${bytes(memory.total)}: parameters and optimizer ${bytes(memory.weights)}, values in between ${bytes(memory.activations)}, recording ${bytes(memory.recording)}`,
  );
  printTime(config, plan, output);
  output.line(
    plan.tried
      ? 'Measured: a few iterations of this size on random weights.'
      : 'Estimated: a few iterations of a smaller network of this kind, scaled by operations and bytes.',
  );
  output.event('plan', { ...plan });
}

type Times = Pick<Plan, 'secondsPerUpdate' | 'imagesPerUpdate' | 'recordingPerUpdate' | 'seconds'>;

function printTime({ iterations }: Config, plan: Times & Partial<Pick<Plan, 'pairs'>>, output: Output): void {
  output.line(`  one update  ${duration(plan.secondsPerUpdate)}, ${plan.imagesPerUpdate} images`);
  if (plan.recordingPerUpdate > 0) output.line(`  recording   ${duration(plan.recordingPerUpdate)} an update`);
  if (plan.pairs) output.line(`  pairs       ${duration(plan.pairs.seconds)} for ${plan.pairs.count}`);
  output.line(`  in all      ${duration(plan.seconds)} for ${iterations} updates`);
}

const millions = (count: number) => `${(count / 1e6).toPrecision(3)} M`;
const bytes = (count: number) => (count < 1e9 ? `${(count / 1e6).toFixed(0)} MB` : `${(count / 1e9).toFixed(1)} GB`);

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toPrecision(3)} s`;
  if (seconds < 3600) return `${(seconds / 60).toPrecision(3)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toPrecision(3)} h` : `${(seconds / 86_400).toPrecision(3)} days`;
}
