// npm run generate: makes the files that are derived from the sources and kept beside them. A test holds them to be current.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { main, say } from './lib/console.mjs';
import { generated } from './lib/generated.mjs';
import { root } from './lib/process.mjs';

main(async () => {
  for (const [file, content] of Object.entries(await generated())) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), content);
    say(`Made ${file}.`);
  }
});
