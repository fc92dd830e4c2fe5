// npm run package: makes the extension's package for this platform, dmd-workbench-TARGET-VERSION.vsix.
//
//   npm run package -- --target linux-arm64      for another one
import { Failure, main } from './lib/console.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { hostTarget, packageExtension } from './lib/package.mjs';

main(async () => {
  const [option, target = hostTarget, ...more] = process.argv.slice(2);
  if ((option && option !== '--target') || more.length > 0) {
    throw new Failure(`unknown option ${option}.`, 'npm run package -- [--target linux-x64]');
  }
  await ensureInstalled();
  await packageExtension({ target });
});
