// Makes the tables of docs/results.md: npm run results -- scenes|text|methods [--iterations N] [--pairs N] [--seeds 1,2,3] [--ranks N]
//
//   npm run results -- methods [--evaluations N] [--data scenes,fashion-mnist]   network evaluations of each run
//
// Finished runs and measurements are kept in a folder, so it can be stopped and started again. Prints the table.
import { parseArgs } from 'node:util';
import { Failure, main, say } from './lib/console.mjs';
import { shareOver } from './results/common.mjs';
import { methodsTable } from './results/methods.mjs';
import { scenesTable } from './results/scenes.mjs';
import { textTable } from './results/text.mjs';

const tables = { scenes: scenesTable, text: textTable, methods: methodsTable };

main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      iterations: { type: 'string', default: '500' },
      pairs: { type: 'string', default: '2000' },
      evaluations: { type: 'string', default: '40000' },
      data: { type: 'string', default: 'scenes,fashion-mnist' },
      seeds: { type: 'string', default: '1,2,3' },
      folder: { type: 'string' },
      ranks: { type: 'string', default: '1' },
    },
  });
  const [name] = positionals;
  const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (!table) throw new Failure(`no table ${name ?? 'named'}.`, 'npm run results -- scenes, text or methods.');
  shareOver(Number(values.ranks));
  const lines = table({
    folder: values.folder ?? `runs/results-${name}`,
    seeds: values.seeds.split(',').map(Number),
    iterations: Number(values.iterations),
    pairs: Number(values.pairs),
    evaluations: Number(values.evaluations),
    data: values.data.split(','),
  });
  for (const line of lines) say(line);
  return 0;
});
