/** `dmd devices`: what can run a graph here, and why the rest cannot. */
import type { Command } from 'commander';
import { type CommonOptions, commonOptions, createOutput, table } from '../output.ts';

export function registerDevices(program: Command): void {
  commonOptions(program.command('devices'))
    .description('list the devices that can run a graph, how fast they are, and why one cannot')
    .action(devices);
}

async function devices(options: CommonOptions): Promise<void> {
  const output = createOutput(options);
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
