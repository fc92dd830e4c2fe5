// Makes the tables of docs/results.md: npm run results -- scenes|text [--iterations N] [--pairs N] [--seeds 1,2,3] [--ranks N]
//
// Finished runs and measurements are kept in a folder, so it can be stopped and started again. Prints the table.
import { parseArgs } from 'node:util';
import { Failure, main, say } from './lib/console.mjs';
import { shareOver } from './results/common.mjs';
import { scenesTable } from './results/scenes.mjs';
import { textTable } from './results/text.mjs';

const tables = { scenes: scenesTable, text: textTable };

main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      iterations: { type: 'string', default: '500' },
      pairs: { type: 'string', default: '2000' },
      seeds: { type: 'string', default: '1,2,3' },
      folder: { type: 'string' },
      ranks: { type: 'string', default: '1' },
    },
  });
  const [name] = positionals;
  const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (!table) throw new Failure(`no table ${name ?? 'named'}.`, 'npm run results -- scenes, or text.');
  shareOver(Number(values.ranks));
  const lines = table({
    folder: values.folder ?? `runs/results-${name}`,
    seeds: values.seeds.split(',').map(Number),
    iterations: Number(values.iterations),
    pairs: Number(values.pairs),
  });
  for (const line of lines) say(line);
  return 0;
});
