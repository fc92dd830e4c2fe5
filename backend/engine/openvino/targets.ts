/** OpenVINO's devices, by the names that they have here. */
import type { drawingDevices } from '../../protocol/config/common.ts';

export interface OpenVinoTarget {
  /** As OpenVINO calls it. */
  readonly device: 'CPU' | 'GPU' | 'NPU';
  /** What it computes in; null leaves that to the device. */
  readonly precision: 'f32' | 'bf16' | null;
}

/** By the device's name: OpenVINO's processor, graphics and neural unit, and the precision that it computes in. */
export const openVinoTargets = {
  openvino: { device: 'CPU', precision: 'f32' },
  'openvino-bf16': { device: 'CPU', precision: 'bf16' },
  'openvino-gpu': { device: 'GPU', precision: 'f32' },
  'openvino-npu': { device: 'NPU', precision: null },
} as const satisfies Record<(typeof drawingDevices)[number], OpenVinoTarget>;

export type OpenVinoDevice = keyof typeof openVinoTargets;

export function isOpenVino(device: string): device is OpenVinoDevice {
  return Object.hasOwn(openVinoTargets, device);
}
