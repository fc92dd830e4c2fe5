// npm run gpu: everything that a person with a graphics card can find out on it, in four minutes, with a report (docs/gpu.md).
//
//   npm run gpu                         WebGPU, then CUDA where it is there; -- --help has every option
//   npm run gpu -- --bundle FILE        packs all it needs into one archive, for a machine without network

import { Failure, main } from './lib/console.mjs';
import { packGpuBundle } from './lib/gpu-bundle.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { root, run, sourceLoader } from './lib/process.mjs';
import { swiftShader } from './lib/system-packages.mjs';

main(async () => {
  await ensureInstalled();
  const args = process.argv.slice(2);
  const at = args.findIndex((arg) => /^--bundle(=|$)/.test(arg));
  if (at >= 0) {
    const file = args[at].slice('--bundle='.length) || args[at + 1];
    if (!file) throw new Failure('--bundle names no file.', 'npm run gpu -- --bundle dmd-gpu.tar.xz');
    await packGpuBundle(file);
    return 0;
  }
  // Chromium's adapter on the processor, where nobody named another.
  const software = args.includes('--software') ? swiftShader() : {};
  return run(process.execPath, ['--import', sourceLoader, `${root}test/gpu/run.ts`, ...args], {
    env: { ...software, ...process.env },
  });
});
