/** `dmd verify`: this implementation against reference tensors recorded elsewhere. */
import type { Command } from 'commander';
import { deviceOptions } from '../arguments.ts';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

interface VerifyOptions extends CommonOptions {
  readonly dump?: string;
  readonly device: string;
  readonly threads: number;
}

const notes = `
A case is a folder with case.json, weights.safetensors and io.safetensors; a folder of such folders stands for all of
them, and plain files among the arguments are passed over. For every expected array it prints the largest absolute error,
that error over the largest expected number, and the tolerance. An expected array that cannot be computed is a miss.

Exit codes: 0 everything within its tolerance; 1 a miss; 3 a damaged case, or none that could be checked. Cases of
kinds that this version does not know are named and counted, and do not fail the others.`;

export function registerVerify(program: Command): void {
  const command = commonOptions(program.command('verify'))
    .description('check networks, samplers, losses and trajectories against reference tensors')
    .argument('<case...>', 'case folders')
    .option('--dump <dir>', 'write the computed arrays to DIR/<case>/arrays.safetensors, under the same names')
    .addHelpText('after', notes)
    .action(verify);
  deviceOptions(command, 'cpu');
}

async function verify(paths: string[], options: VerifyOptions): Promise<void> {
  const { verifyCases } = await import('../verify/verify.ts');
  process.exitCode = await verifyCases(paths, options, createOutput(options));
}
