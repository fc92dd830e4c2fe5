/** `dmd doctor`: what a run's recorded numbers say of its health. */
import type { Command } from 'commander';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

const notes = `
Works on any run folder, running, finished or of an earlier version, and on a folder with the event files of another
program; what is not recorded there cannot be judged, and is named. Exit codes: 0 no alarm; 1 an alarm. docs/health.md says
what each rule looks for.`;

export function registerDoctor(program: Command): void {
  commonOptions(program.command('doctor'))
    .description("say what a run's recorded numbers tell of its health")
    .argument('<run>', 'run folder')
    .addHelpText('after', notes)
    .action(doctor);
}

async function doctor(folder: string, options: CommonOptions): Promise<void> {
  const output = createOutput(options);
  const { examine } = await import('../../runs/health.ts');
  const { step, verdicts, unjudged } = examine(folder);
  for (const verdict of verdicts) {
    output.event('verdict', { ...verdict });
    output.line(`${verdict.severity === 'alarm' ? 'ALARM' : 'warning'}  ${verdict.rule}, step ${verdict.step}`);
    output.line(`  ${verdict.statement}`);
    output.line(`  ${verdict.advice}`);
  }
  output.event('health', {
    folder,
    step,
    alarms: verdicts.filter(({ severity }) => severity === 'alarm').length,
    unjudged,
  });
  if (verdicts.length === 0) output.line(`Nothing is wrong by what is recorded up to step ${step}.`);
  if (unjudged.length > 0) output.line(`Not recorded, so not judged: ${unjudged.join(', ')}.`);
  if (verdicts.some(({ severity }) => severity === 'alarm')) process.exitCode = 1;
}
