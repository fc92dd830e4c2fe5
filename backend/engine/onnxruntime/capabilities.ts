/** What ONNX Runtime's devices have: tried where that tells, else what the runtime and the device's standard promise. */
import { backwardTables } from '../../graph/onnx/lower/attention-parts.ts';
import { type Capabilities, hostAttentionBytes } from '../capabilities.ts';
import { channelBlock } from './channel-block.ts';
import { computesHalves, type Trial, takesHalves, trialOn, workingOperators } from './operator-trials.ts';
import type { OrtDevice } from './providers.ts';
import { webGpuLimits } from './webgpu-limits.ts';

const known = new Map<OrtDevice, Promise<Capabilities>>();

/** Found once per process. */
export function ortCapabilities(device: OrtDevice): Promise<Capabilities> {
  const found = known.get(device) ?? find(device, keepsResults(device), trialOn(device));
  known.set(device, found);
  return found;
}

/** Of a device that keeps its results, and that has another way to be tried. Found once per process. */
export function residentCapabilities(device: OrtDevice, trial: Trial): Promise<Capabilities> {
  const found = known.get(device) ?? find(device, true, trial);
  known.set(device, found);
  return found;
}

/** Devices whose results can stay in device memory between programs: the Node package offers buffers of WebGPU's only. */
export const keepsResults = (device: OrtDevice) => device === 'webgpu';

async function find(device: OrtDevice, resident: boolean, trial: Trial): Promise<Capabilities> {
  const onHost = device === 'cpu';
  return {
    onHost,
    resident,
    sharesConstants: false,
    holds: (await takesHalves(trial)) ? ['float32', 'float16'] : ['float32'],
    computes: (await computesHalves(device, trial)) ? ['float32', 'float16'] : ['float32'],
    fused: await workingOperators(device, trial),
    streamsAttention: onHost,
    channelBlock: onHost ? await channelBlock() : 0,
    shiftedWindows: onHost,
    ...(await limitsOf(device)),
  };
}

/** The largest array that every supported version of Node makes. */
const hostBuffer = 2 ** 32;

/** Where the runtime does not tell how much memory a graphics card has: an eighth of a small one's. */
const cardAttentionBytes = 2 ** 29;

type Limits = Pick<Capabilities, 'largestBuffer' | 'splitOutputs' | 'attentionBytes'>;

/** On WebGPU attention gets as many of the largest tensors as it holds tables at a time, and a Split reads one array more than it makes. */
async function limitsOf(device: OrtDevice): Promise<Limits> {
  if (device === 'webgpu') {
    const { bindingBytes, bindings } = await webGpuLimits();
    const largestBuffer = Math.min(bindingBytes, hostBuffer);
    const attentionBytes = Math.min(backwardTables * largestBuffer, cardAttentionBytes);
    return { largestBuffer, splitOutputs: bindings - 1, attentionBytes };
  }
  const attentionBytes = device === 'cpu' ? hostAttentionBytes() : cardAttentionBytes;
  return { largestBuffer: hostBuffer, splitOutputs: 64, attentionBytes };
}
