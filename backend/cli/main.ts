/**
 * The command `dmd`. This file and the commands' declarations load nothing heavy, so that help is instant; a command's
 * action imports what it needs. Every error ends here: see errors.ts.
 */
import '../engine/onnxruntime/no-telemetry.ts'; // here, because a worker's environment is only a copy
import { Command } from 'commander';
import { packageVersion } from '../files/package.ts';
import { exitCodes } from '../protocol/errors.ts';
import { launchedRanks } from '../ranks/launched.ts';
import { keepOwnCard } from '../ranks/own-card.ts';
import { readPaths } from './arguments.ts';
import { commands } from './commands/index.ts';
import { reportError } from './errors.ts';
import { refuseRanks } from './ranks.ts';
import { endWithSignalsHeard, leaveSignalsToSystem, lostOutput, surviveTerminal } from './terminal.ts';

/** Commands whose work hears signals; for them a signal before that work, or after it, is one too. */
const endInOrder = new Set(['distill', 'teach', 'pairs', 'eval', 'sample', 'export', 'download', 'features', 'pack']);

function createProgram(): Command {
  const program = new Command('dmd')
    .description('Distribution Matching Distillation: a many-step diffusion model becomes a one-step generator.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError('(add --help for the options)')
    .exitOverride()
    .configureOutput({ writeErr: () => {} }); // errors are reported below, in the same form as all others
  for (const register of commands) register(program);
  for (const command of program.commands) readPaths(command);
  program.hook('preAction', (_, command) => {
    if (!endInOrder.has(command.name())) leaveSignalsToSystem();
    refuseRanks(command.name());
  });
  return program;
}

surviveTerminal();
endWithSignalsHeard();
const launched = launchedRanks(process.env);
if (launched) keepOwnCard(launched, process.env);
const args = process.argv.slice(2);
const style = { json: args.includes('--json'), verbose: args.includes('--verbose') };
process.on('exit', (code) => {
  const lost = lostOutput();
  if (code === 0 && lost) process.exitCode = reportError(lost, style);
});
try {
  const program = createProgram();
  if (args.length === 0) {
    program.outputHelp();
    process.exitCode = exitCodes.usage;
  } else await program.parseAsync(args, { from: 'user' });
} catch (error) {
  process.exitCode = reportError(error, style);
}
