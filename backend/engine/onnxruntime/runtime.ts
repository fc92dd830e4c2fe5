/**
 * onnxruntime-node, loaded when an engine first needs it. An `import` would not do: a bundle moves the imports of
 * packages to its start, so that even `dmd --help` would load the native library, and before its switch below is set.
 */
import './no-telemetry.ts';
import { createRequire } from 'node:module';
import { UserError } from '../../protocol/errors.ts';

type Runtime = typeof import('onnxruntime-node');

export const runtime = load();

/** Throws UserError('device') where there is no native library for this system. */
function load(): Runtime {
  try {
    return createRequire(import.meta.url)('onnxruntime-node') as Runtime;
  } catch (error) {
    const message = `onnxruntime-node cannot be loaded on ${process.platform} ${process.arch}: ${(error as Error).message}`;
    const hint = 'Install the packages again (npm ci); the README lists the systems it has a library for.';
    throw new UserError('device', message, hint, { cause: error });
  }
}
