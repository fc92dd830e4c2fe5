/**
 * What a WebGPU adapter allows beyond what the standard promises. ONNX Runtime takes the adapter's own limits and has no way to ask for
 * them, but it says them when it refuses: an array that does not fit into one binding is bound in as many parts as it takes, and where
 * these are more than a shader may have, the error names both numbers. Tried in a process of its own, whose complaints nobody sees.
 */
import { fileURLToPath } from 'node:url';
import { runProbe } from '../probe-process.ts';

export interface WebGpuLimits {
  /** Bytes of an array that a shader sees in one piece. */
  readonly bindingBytes: number;
  /** Arrays that a shader may see. */
  readonly bindings: number;
}

/** What WebGPU promises everywhere. */
export const promisedLimits: WebGpuLimits = { bindingBytes: 2 ** 27, bindings: 8 };

/** More bytes than any device lets a shader see, in as few numbers as the runtime counts with. */
export const refusedBytes = 2 ** 35;

const script = fileURLToPath(new URL('./webgpu-limits.worker.ts', import.meta.url));

/** The adapter's own limits; those that are promised where the refusal does not say them, or there is no adapter. */
export async function webGpuLimits(): Promise<WebGpuLimits> {
  const message = await runProbe<{ refusal: string }>(script, [], 120_000);
  return ('refusal' in message && limitsIn(message.refusal)) || promisedLimits;
}

/** The limits that an error names which refuses to fill `refusedBytes` from one number; null when it does not. */
export function limitsIn(refusal: string): WebGpuLimits | null {
  const found = /Too many storage buffers in shader\. Current: (\d+), Max is (\d+)/.exec(refusal);
  if (!found) return null;
  const [needed, bindings] = found.slice(1).map(Number) as [number, number];
  // One binding is the number that is read. Parts are as large as may be, so that the last one may be smaller.
  const bindingBytes = 2 ** Math.floor(Math.log2(refusedBytes / (needed - 1)));
  if (needed <= bindings || bindings < promisedLimits.bindings || bindingBytes < promisedLimits.bindingBytes)
    return null;
  return { bindingBytes, bindings };
}
