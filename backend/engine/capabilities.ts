/**
 * What a device has and how much of it: data by which programs are built and runs decide, instead of the device's name. The same on
 * one machine at any time (nothing here depends on what else runs), so that a resumed run computes the same bits.
 */
import { totalmem } from 'node:os';
import type { LoweringCapabilities } from '../graph/onnx/capabilities.ts';
import type { NumberType } from '../graph/tensor-data.ts';

export interface Capabilities extends LoweringCapabilities {
  /** Computes on the host's processor, in the host's memory. */
  readonly onHost: boolean;
  /** What is uploaded and what programs return stays in memory of the device's own. */
  readonly resident: boolean;
  /** A program's constants stay where they are in the host's memory: they may be of any size, and are not there twice. */
  readonly sharesConstants: boolean;
  /** Number types that a program's inputs may have. */
  readonly holds: readonly NumberType[];
  /** Number types that operations compute in. */
  readonly computes: readonly NumberType[];
}

/** The share of the host's memory that attention may take. */
const attentionShare = 1 / 32;

/**
 * Bytes for attention where programs compute in the host's memory: a power of two, so that a machine whose memory is counted a
 * little differently one day (another kernel, another firmware) still cuts attention into the same parts. At least 2^26.
 */
export function hostAttentionBytes(): number {
  // Where a container may use less than the machine has.
  const allowed = process.constrainedMemory?.() ?? 0;
  const total = allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
  return 2 ** Math.max(26, Math.floor(Math.log2(total * attentionShare)));
}
