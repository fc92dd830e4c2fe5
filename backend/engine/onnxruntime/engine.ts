/**
 * Opens an engine over ONNX Runtime, in one of two ways: the CPU through the C API where this system lets it be called, everything
 * else, and the CPU elsewhere, through the package's own binding. Both give the same bits.
 */
import { UserError } from '../../protocol/errors.ts';
import type { Engine } from '../engine.ts';
import { createBindingEngine } from './binding-engine.ts';
import { createCApiEngine } from './c-api/engine.ts';
import { type CApi, openCApi } from './c-api/open.ts';
import { openCuda } from './cuda/open.ts';
import { CudaPlace } from './cuda/place.ts';
import type { OrtDevice } from './providers.ts';

/** The C API, or the binding of onnxruntime-node. */
export const ways = ['c-api', 'node'] as const;
export type Way = (typeof ways)[number];

export interface OrtOptions {
  device: OrtDevice;
  /** Threads of the CPU provider; 0 takes one per physical core. */
  threads?: number;
  /** For tests. Default: what `DMD_ONNX_RUNTIME` names, else the C API where it can be used. */
  way?: Way;
}

/** Throws UserError('device') where the way that was asked for is not there; for other devices, the first `compile` does. */
export function createOnnxRuntimeEngine({ device, threads = 0, way }: OrtOptions): Engine {
  if (takesCuda(device, way)) return createCApiEngine(cuda(), threads, new CudaPlace(cuda()));
  const { cApi } = chooseWay(device, way);
  return cApi ? createCApiEngine(cApi, threads) : createBindingEngine({ device, threads });
}

/** How the device's graphs are run, for people. */
export function wayInWords(device: OrtDevice): string {
  if (takesCuda(device)) return "ONNX Runtime's C API and CUDA 13";
  return chooseWay(device).words;
}

const variable = 'DMD_ONNX_RUNTIME';

/** CUDA is reached through the C API where its libraries can be fetched; elsewhere the package's binding has it or not. */
function takesCuda(device: OrtDevice, way?: Way): boolean {
  return device === 'cuda' && (way ?? named()) !== 'node' && process.platform === 'linux' && process.arch === 'x64';
}

function cuda(): Around {
  const found = openCuda();
  if ('around' in found) return found.around;
  throw new UserError('device', `cuda cannot be used: ${found.reason}`, 'docs/devices.md says what it needs.');
}

type Around = Extract<CApi, { readonly around: unknown }>['around'];

function chooseWay(device: OrtDevice, way?: Way): { readonly cApi: Around | null; readonly words: string } {
  const binding = (why: string) => ({ cApi: null, words: `onnxruntime-node${why && `, because ${why}`}` });
  if (device !== 'cpu') return binding('');
  const asked = way ?? named();
  if (asked === 'node') return binding('it was asked for');
  // Nobody has run it elsewhere.
  if (!asked && process.platform !== 'linux') return binding(`the C API was not tried on ${process.platform}`);
  const found = openCApi();
  if ('around' in found) return { cApi: found.around, words: "ONNX Runtime's C API" };
  if (!asked) return binding(found.reason);
  const message = `ONNX Runtime's C API cannot be used: ${found.reason}.`;
  throw new UserError('device', message, `Without ${variable} the engine takes another way.`);
}

/** Throws UserError('usage') for what is no way. */
function named(): Way | undefined {
  const name = process.env[variable];
  if (!name) return undefined;
  const way = ways.find((known) => known === name);
  if (way) return way;
  throw new UserError('usage', `${variable} is '${name}'.`, `It may be ${ways.join(' or ')}, or not set.`);
}
