/** The options that every training command has. */
import type { Command } from 'commander';
import { positiveInteger, wholeNumber } from '../arguments.ts';
import { commonOptions } from '../output.ts';

const collect = (value: string, before: readonly string[]) => [...before, value];

export function trainOptions(command: Command): Command {
  return commonOptions(command)
    .argument('[config]', 'a .dmd.json file')
    .option('--preset <name>', 'a config that comes with the package, instead of a file')
    .option('--resume <run>', 'go on with a run, bit for bit, from its latest sound checkpoint')
    .option(
      '--set <key=value>',
      'change a value of the config, e.g. checkpoint.every=100; may be repeated',
      collect,
      [],
    )
    .option('--iterations <n>', 'updates in all', positiveInteger)
    .option('--until <n>', 'stop after this update, as with Ctrl-C', positiveInteger)
    .option('--batch <n>', 'images per micro-batch', positiveInteger)
    .option('--seed <n>', 'fixes every random draw', wholeNumber)
    .option('--device <name>', 'auto, cpu, webgpu, cuda, dml, coreml or tensorflow')
    .option('--threads <n>', 'CPU threads; 0 one per core', wholeNumber)
    .option('--name <name>', 'name of the run, part of its folder name')
    .option('--out <dir>', 'where run folders are created (default: runs)')
    .option('--half', 'write the final weights in float16', false);
}

export const trainNotes = `
Ctrl-C finishes the iteration, writes a checkpoint and says how to go on; twice stops at once.

Exit codes: 0 finished; 2 wrong options or config; 3 data or weights missing or damaged; 4 device not available; 5 another
process works in the run folder; 6 NaN or infinity; 7 disk; 130 stopped.`;
