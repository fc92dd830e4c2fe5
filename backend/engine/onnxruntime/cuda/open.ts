/** CUDA through ONNX Runtime's C API: the libraries that were fetched, or those of the folder that DMD_CUDA names. Tried once in a thread. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { loadKoffi } from '../../../native/koffi.ts';
import { keepLoaded, Library, NativeFailure, type Pointer } from '../c-api/library.ts';
import { leaveAtExit, tryMemory } from '../c-api/open.ts';
import { type Cuda, openSurroundings, type Surroundings } from '../c-api/session.ts';
import { cudaReason } from './failure.ts';
import { fetchCommand, findCuda } from './folder.ts';

/** What engines need; or why they cannot be, in a line without a full stop. */
export type FoundCuda = { readonly around: Surroundings } | { readonly reason: string };

/** '1': products of float32 matrices in the 19 bits of TF32, faster and coarser. Off: float32, as on the CPU. */
export const tf32Variable = 'DMD_CUDA_TF32';

/** What the provider names, each after what it names itself. Those of cuDNN find each other beside themselves. */
const named = [
  'libcudart.so.13',
  'libnvrtc.so.13',
  'libcublasLt.so.13',
  'libcublas.so.13',
  'libcurand.so.10',
  'libcudnn.so.9',
];
const provider = 'libonnxruntime_providers_cuda.so';
/** OrtAllocatorType and OrtMemType of memory that a session's allocator hands out; the card is the first that CUDA shows. */
const [deviceAllocator, firstCard, defaultMemory] = [0, 0, 0];

/** Of an arena: no limit, and powers of two, in which what was freed joins again; a full card gives it what it has. */
const [noLimit, growth, asTheRuntimeHasIt] = [0, 0, -1];

let opened: FoundCuda | null = null;

export function openCuda(): FoundCuda {
  opened ??= open();
  return opened;
}

function open(): FoundCuda {
  try {
    const found = findCuda();
    return 'reason' in found ? found : { around: openCudaIn(found.folder) };
  } catch (error) {
    return { reason: cudaReason((error as Error).message) };
  }
}

/** Throws an Error that says what is missing. */
export function openCudaIn(folder: string): Surroundings {
  const runtime =
    existsSync(folder) && readdirSync(folder).find((name) => /^libonnxruntime\.so(\.[\d.]+)?$/.test(name));
  if (!runtime) throw new Error(`there is no libonnxruntime.so in ${folder}`);
  if (!existsSync(path.join(folder, provider))) throw new Error(`there is no ${provider} in ${folder}`);
  loadDriver(folder);
  const koffi = loadKoffi();
  for (const name of named) if (existsSync(path.join(folder, name))) keepLoaded(koffi, path.join(folder, name));
  const library = openLibrary(path.join(folder, runtime));
  tryMemory(library);
  return leaveAtExit(openSurroundings(library, (env) => cudaOf(library, env, path.join(folder, provider))));
}

function loadDriver(folder: string): void {
  const beside = path.join(folder, 'libcuda.so.1');
  try {
    keepLoaded(loadKoffi(), existsSync(beside) ? beside : 'libcuda.so.1');
  } catch (cause) {
    throw new Error('its libraries are there, and no NVIDIA driver (libcuda.so.1): install 580 or newer', { cause });
  }
}

function openLibrary(file: string): Library {
  try {
    return new Library(file);
  } catch (cause) {
    throw new Error(`${(cause as Error).message}: ${fetchCommand} gets the right one`, { cause });
  }
}

function cudaOf(library: Library, env: Pointer, file: string): Cuda {
  try {
    // Without it, the environment knows no way to copy.
    library.call('registerProviderLibrary', env, 'CUDAExecutionProvider', file);
  } catch (error) {
    // The environment is the process's: another thread has done so.
    if (!(error instanceof NativeFailure && /already registered/.test(error.message))) throw error;
  }
  const options = {
    device_id: String(firstCard),
    use_tf32: process.env[tf32Variable] === '1' ? '1' : '0',
    // The same from run to run.
    cudnn_conv_algo_search: 'HEURISTIC',
  };
  const memory = library.create('memoryInfo', 'createMemoryInfo', 'Cuda', deviceAllocator, firstCard, defaultMemory);
  shareMemory(library, env, memory);
  return { memory, options };
}

/**
 * One memory for all sessions, which run one after the other: the halves of an iteration need no more than the larger one. A runtime that
 * refuses leaves each session its own.
 */
function shareMemory(library: Library, env: Pointer, memory: Pointer): void {
  const config = library.create(
    'arenaConfig',
    'createArenaConfig',
    noLimit,
    growth,
    asTheRuntimeHasIt,
    asTheRuntimeHasIt,
  );
  try {
    library.call('createAndRegisterAllocatorV2', env, 'CUDAExecutionProvider', memory, config, null, null, 0);
  } catch (error) {
    if (!(error instanceof NativeFailure)) throw error;
  } finally {
    library.release('arenaConfig', config);
  }
}
