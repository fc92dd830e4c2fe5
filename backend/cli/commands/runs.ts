/** `dmd runs`: the run folders there are and how they stand. */
import type { Command } from 'commander';
import { printable } from '../../protocol/printable.ts';
import { type CommonOptions, commonOptions, createOutput, table } from '../output.ts';

export function registerRuns(program: Command): void {
  commonOptions(program.command('runs'))
    .description('list run folders and how they stand')
    .argument('[folder]', 'folder that holds them', 'runs')
    .action(runs);
}

async function runs(folder: string, options: CommonOptions): Promise<void> {
  const output = createOutput(options);
  const { relative } = await import('node:path');
  const { listRuns } = await import('../../runs/folder/run-folder.ts');
  const { readAnnotations } = await import('../../runs/folder/annotations.ts');
  const found = listRuns(folder);
  const rows = [['run', 'name', 'kind', 'state', 'iterations', 'device', 'last written', '']];
  for (const { paths, info, state, owner, problem } of found) {
    const about = readAnnotations(paths.folder);
    if (about.warning) process.stderr.write(`${printable(`warning: ${about.warning}`)}\n`);
    const path = relative('', paths.folder) || '.';
    const person = { givenName: about.name, tags: about.tags };
    output.event('run', { folder: paths.folder, state, process: owner?.pid ?? null, problem, ...info, ...person });
    const done = info ? `${info.step} of ${info.iterations}` : '';
    const why = owner ? `process ${owner.pid}` : problem || (info?.error?.message ?? '');
    rows.push([path, about.name, info?.kind ?? '', state, done, info?.device ?? '', info?.updatedAt ?? '', why]);
  }
  if (found.length === 0) output.line(`No runs in ${folder}.`);
  else for (const line of table(rows)) output.line(line);
}
