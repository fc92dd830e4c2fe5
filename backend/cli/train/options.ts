/** The options that every training command has. */
import type { Command } from 'commander';
import { deviceOptions, positiveInteger, wholeNumber } from '../arguments.ts';
import { commonOptions } from '../output.ts';

const collect = (value: string, before: readonly string[] = []) => [...before, value];

/** @param presets names that `--preset` takes, for the help */
export function trainOptions(command: Command, presets: readonly string[]): Command {
  commonOptions(command)
    .argument('[config]', 'a .dmd.json file; options override what it says')
    .option('--preset <name>', `a config that comes with the package, instead of a file: ${presets.join(', ')}`)
    .option(
      '--plan',
      'check what the config names, print the memory and time it needs on this device, and begin nothing',
    )
    .option('--resume <run>', 'go on with the run in this folder, bit for bit, from its latest sound checkpoint')
    .option('--set <key=value>', 'change a value of the config, e.g. checkpoint.every=100; may be repeated', collect)
    .option('--iterations <n>', 'iterations in all', positiveInteger)
    .option('--until <n>', 'stop after this iteration, as with Ctrl-C', positiveInteger)
    .option('--batch <n>', 'images per network call (times accumulation: per update)', positiveInteger)
    .option('--seed <n>', 'fixes every random draw', wholeNumber)
    .option('--name <name>', 'name of the run, part of its folder name')
    .option('--out <dir>', 'folder in which the run folder is created (default: runs)')
    .option('--half', 'write the final weights in float16');
  return deviceOptions(command);
}

export const trainNotes = `
Ctrl-C finishes the iteration, writes a checkpoint and says how to go on; twice gives up the step. Without a terminal, as under nohup, a
run goes on when the terminal closes.

Exit codes: 0 finished; 2 wrong options or config; 3 data or weights missing or damaged; 4 device not available; 5 another
process works in the run folder; 6 NaN or infinity; 7 disk; 130 stopped.`;
