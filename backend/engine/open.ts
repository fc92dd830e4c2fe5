/** Opens an engine by its device's name, without asking first whether it works: `devices.ts` does. */
import { drawingDevices } from '../protocol/config/common.ts';
import { UserError } from '../protocol/errors.ts';
import type { Engine } from './engine.ts';
import { isOpenVino } from './openvino/targets.ts';

/** In the order in which they are listed. */
export const deviceNames = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'tensorflow', ...drawingDevices] as const;
export type DeviceName = (typeof deviceNames)[number];

/** Loads the runtime behind the device. `threads` is the CPU's; 0 takes one per core. */
export async function openDevice(device: DeviceName, threads: number): Promise<Engine> {
  if (device === 'tensorflow') {
    const { createTensorflowEngine } = await import('./tensorflow/engine.ts');
    return createTensorflowEngine({ backend: 'tfjs-node-gpu' });
  }
  if (isOpenVino(device)) {
    const { openOpenVino } = await import('./openvino/open.ts');
    return openOpenVino(device, threads);
  }
  const { createOnnxRuntimeEngine } = await import('./onnxruntime/engine.ts');
  return createOnnxRuntimeEngine({ device, threads });
}

/** What runs a device's graphs, and why it is that where there is a choice; for people. */
export async function runtimeOf(device: DeviceName): Promise<string> {
  if (device === 'tensorflow') return 'TensorFlow.js';
  if (isOpenVino(device)) {
    const { openVinoInWords } = await import('./openvino/open.ts');
    return openVinoInWords();
  }
  const { wayInWords } = await import('./onnxruntime/engine.ts');
  return wayInWords(device);
}

/** Throws UserError('usage') for a name that is no device. */
export function parseDevice(name: string): DeviceName | 'auto' {
  if (name === 'auto') return name;
  const device = deviceNames.find((known) => known === name);
  if (device) return device;
  throw new UserError('usage', `There is no device '${name}'.`, `Devices are auto, ${deviceNames.join(', ')}.`);
}
