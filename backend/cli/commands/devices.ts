/** `dmd devices`: what can run a graph here, and why the rest cannot. */
import { type Command, InvalidArgumentError } from 'commander';
import { UserError } from '../../protocol/errors.ts';
import { type CommonOptions, commonOptions, createOutput, table } from '../output.ts';

export function registerDevices(program: Command): void {
  commonOptions(program.command('devices'))
    .description('list the devices that can run a graph, how fast they are, and why one cannot')
    .option('--fetch <device>', 'cuda: fetch the libraries that NVIDIA GPUs need on Linux x64, about 1.2 GB', fetchable)
    .option('--from <folder>', 'with --fetch: take the wheels from this folder, without a network')
    .option('--dry-run', 'with --fetch: say what would be fetched, how large it is and under which licence, and stop')
    .action(devices);
}

interface DevicesOptions extends CommonOptions {
  readonly fetch?: 'cuda';
  readonly from?: string;
  readonly dryRun?: boolean;
}

function fetchable(name: string): string {
  if (name !== 'cuda') throw new InvalidArgumentError('Expected cuda: the other devices need nothing that is fetched.');
  return name;
}

async function devices({ fetch, from, dryRun, ...options }: DevicesOptions): Promise<void> {
  const output = createOutput(options);
  if (fetch) {
    const { fetchCudaLibraries } = await import('./fetch-cuda.ts');
    return fetchCudaLibraries(output, { from, dryRun });
  }
  if (from !== undefined || dryRun) {
    throw new UserError('usage', '--from and --dry-run belong to --fetch', 'Say dmd devices --fetch cuda.');
  }
  const { drawingInWords, fastest, listDevices, workingInWords } = await import('../../engine/devices.ts');
  const found = await listDevices();
  const best = fastest(found);
  for (const status of found) output.event('device', { ...status });
  output.event('auto', { device: best.device, why: best.why });
  const rows = found.map((status) => [
    status.device,
    status.available ? 'works' : 'unavailable',
    status.available ? workingInWords(status) : status.reason,
  ]);
  for (const line of table(rows)) output.line(line);
  output.line(`\nauto takes ${best.device}: ${best.why}.`);
  const drawing = drawingInWords(found, best);
  if (drawing !== '') output.line(drawing);
}
