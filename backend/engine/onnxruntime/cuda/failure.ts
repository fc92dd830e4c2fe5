/** What CUDA's errors mean, for people: ONNX Runtime passes on numbers and lines of its own source. */
import { UserError } from '../../../protocol/errors.ts';
import { NativeFailure } from '../c-api/library.ts';
import { fetchCommand } from './folder.ts';

/** The card is full, by the words of the runtime's allocator and of CUDA's own (error 2). */
const isFull = /failed to allocate memory|out of memory|CUDA failure 2:|available memory of .* is smaller/i;
/**
 * The driver or the card went away, or a kernel destroyed what this process has there: nothing that it holds can be used any more (driver
 * API, "sticky" errors: 4 unloaded, 46 unavailable, 214 ECC, 226 contained, 700 to 720 in kernels, 999 unknown).
 */
const isLost =
  /CUDA failure (4|46|101|214|226|7\d\d|999):|unspecified launch failure|illegal memory access|driver shutting down|device.* (unavailable|lost)/i;

/** @param held bytes that the engine keeps on the card. Errors that are not the runtime's come back as they are. */
export function cudaFailure(error: unknown, doing: string, held: number): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const message = error.message.replace(/\s+/g, ' ').trim();
  const cause = { cause: error };
  if (isFull.test(message)) {
    const what = `cuda ${doing}: the card's memory is full (${megabytes(held)} MB of it hold this program's tensors)`;
    const hint =
      'A smaller batch fits (memory grows with it; accumulate more often for the same mean), or other programs on the card end (nvidia-smi), or --device cpu.';
    return new UserError('device', what, hint, cause);
  }
  if (isLost.test(message)) {
    const hint =
      'What was not saved is gone. Look whether nvidia-smi still lists the card; --device cpu goes on without it.';
    return new UserError('device', `cuda ${doing}: the card or its driver was lost (${short(message)})`, hint, cause);
  }
  const known = whyNot(message);
  if (known === null && !(error instanceof NativeFailure)) return error;
  return new UserError('device', `cuda ${doing}: ${known ?? message}`, 'dmd devices lists what works.', cause);
}

/** Why CUDA cannot be opened, in a line without a full stop. */
export function cudaReason(message: string): string {
  const text = message.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  return whyNot(text) ?? text;
}

function whyNot(text: string): string | null {
  if (/no CUDA-capable device|CUDA failure 100:/.test(text))
    return 'the driver finds no NVIDIA GPU (nvidia-smi lists them)';
  if (/driver version is insufficient|CUDA failure 35:/.test(text)) {
    return 'the NVIDIA driver is older than CUDA 13 needs: install 580 or newer';
  }
  if (/cuDNN (library was not found|is (not available|unavailable))/.test(text)) {
    return `cuDNN 9 for CUDA 13 is missing or cannot be loaded: ${fetchCommand}`;
  }
  const [, wanted] = /\b(lib(?:cudart|cublas|cublasLt|curand|cudnn)\.so\.\d+): cannot open/.exec(text) ?? [];
  if (wanted) return `${wanted} is missing, and ONNX Runtime's provider takes no other CUDA: ${fetchCommand}`;
  return null;
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
const short = (message: string): string => (message.length > 200 ? `${message.slice(0, 200)}...` : message);
