/**
 * Which devices can run a graph here, found by running one, and the choice among them. Each is tried in a process of
 * its own with a time limit, so that a broken driver is a reason and not a crash.
 */
import { fileURLToPath } from 'node:url';
import { UserError } from '../protocol/errors.ts';
import type { ProbeMessage } from './device-probe.worker.ts';
import type { Engine } from './engine.ts';
import { type DeviceName, deviceNames, openDevice, parseDevice } from './open.ts';
import { isOpenVino } from './openvino/targets.ts';
import { runProbe } from './probe-process.ts';

export interface DeviceStatus {
  readonly device: DeviceName;
  readonly available: boolean;
  /** Why it is not available; empty when it is. */
  readonly reason: string;
  /** Measured 10^9 operations per second in 3x3 convolutions, many enough that latency does not decide; 0 when not available. */
  readonly gigaflops: number;
  /** What runs its graphs; empty when it is not available. */
  readonly through: string;
}

export interface ProbeOptions {
  /** CPU threads; 0 one per core. */
  readonly threads?: number;
  readonly timeLimitMs?: number;
}

export interface OpenOptions extends ProbeOptions {
  /** A device's name or 'auto'. */
  readonly device: string;
}

export interface DeviceChoice {
  readonly device: DeviceName;
  /** Why this device, for people. */
  readonly why: string;
}

export interface OpenedDevice extends DeviceChoice {
  readonly engine: Engine;
}

const probeScript = fileURLToPath(new URL('./device-probe.worker.ts', import.meta.url));
const known = new Map<string, Promise<DeviceStatus>>();

/** Every device with what a trial run on it gave. Tried one after the other, once per process. */
export async function listDevices(options: ProbeOptions = {}): Promise<DeviceStatus[]> {
  const statuses: DeviceStatus[] = [];
  for (const device of deviceNames) {
    const isFurther = isOpenVino(device) && device !== 'openvino';
    // Without OpenVINO its other devices have nothing to say, and those that it does not list are no news.
    if (isFurther && !statuses.some((status) => status.device === 'openvino' && status.available)) continue;
    const status = await probe(device, options);
    if (!isFurther || status.available) statuses.push(status);
  }
  return statuses;
}

/**
 * Opens a device for computing; 'auto' is the fastest that works. Throws UserError('device') that names the device and
 * why it is not available, UserError('usage') for an unknown name.
 */
export async function openEngine(options: OpenOptions): Promise<OpenedDevice> {
  const choice = await chooseDevice(options);
  return { engine: await openDevice(choice.device, options.threads ?? 0), ...choice };
}

/** `openEngine`'s choice alone, for those who compute in another thread. */
export async function chooseDevice({ device: name, ...options }: OpenOptions): Promise<DeviceChoice> {
  const device = parseDevice(name);
  if (device === 'auto') {
    const statuses: DeviceStatus[] = [];
    for (const each of deviceNames) if (!isOpenVino(each)) statuses.push(await probe(each, options));
    return fastest(statuses);
  }
  if (device === 'cpu') return { device, why: 'it was asked for' };
  const { available, reason } = await probe(device, options);
  if (!available) {
    throw new UserError('device', `The device ${device} is not available: ${reason}.`, 'dmd devices lists what works.');
  }
  return { device, why: 'it was asked for' };
}

/**
 * The fastest available device and the numbers that say so. OpenVINO's draw other bits and train nothing: who wants one says so.
 */
export function fastest(statuses: readonly DeviceStatus[]): DeviceChoice {
  const able = statuses.filter(({ available, device }) => available && !isOpenVino(device));
  const working = able.sort((a, b) => b.gigaflops - a.gigaflops);
  const [best] = working;
  if (!best) {
    const reasons = statuses.map(({ device, reason }) => `${device}: ${reason}`).join('; ');
    throw new UserError('device', `No device works. ${reasons}.`, 'Install the packages again: npm ci.');
  }
  if (working.length === 1) return { device: best.device, why: 'no other device that trains is available' };
  const speeds = working.map(({ device, gigaflops }) => `${device} ${rounded(gigaflops)}`).join(', ');
  return { device: best.device, why: `the fastest in a trial convolution (GFLOP/s: ${speeds})` };
}

/** The devices that draw and train nothing, beside the one that was chosen; '' where there are none. */
export function drawingInWords(statuses: readonly DeviceStatus[], { device: chosen }: DeviceChoice): string {
  const own = statuses.find(({ device }) => device === chosen)?.gigaflops ?? 0;
  const drawing = statuses.filter(({ available, device }) => available && isOpenVino(device));
  if (own === 0 || drawing.length === 0) return '';
  const said = drawing.map(({ device, gigaflops }) => `${device} (${(gigaflops / own).toFixed(1)} times as fast)`);
  return `Pictures can be drawn by ${said.join(', ')}; trainings and auto leave it out.`;
}

/** What a working device is, for people: how fast, and through what. */
export function workingInWords({ gigaflops, through }: DeviceStatus): string {
  return `${rounded(gigaflops)} GFLOP/s in 3x3 convolutions, through ${through}`;
}

/** Two significant digits: it is a rough number. */
function rounded(gigaflops: number): string {
  return String(Number(gigaflops.toPrecision(2)));
}

function probe(device: DeviceName, { threads = 0, timeLimitMs = 30_000 }: ProbeOptions): Promise<DeviceStatus> {
  const key = `${device} ${threads}`;
  let status = known.get(key);
  if (!status) {
    status = tryDevice(device, threads, timeLimitMs);
    known.set(key, status);
  }
  return status;
}

async function tryDevice(device: DeviceName, threads: number, timeLimitMs: number): Promise<DeviceStatus> {
  const absent = await notInRuntime(device);
  const result = absent
    ? { error: absent }
    : await runProbe<ProbeMessage>(probeScript, [device, String(threads)], timeLimitMs);
  if ('gigaflops' in result) return { device, available: true, reason: '', ...result };
  return { device, available: false, reason: explain(device, result.error), gigaflops: 0, through: '' };
}

/** Why the runtime cannot have the device on this system at all; empty when it may. */
async function notInRuntime(device: DeviceName): Promise<string> {
  // Their own messages say what to install.
  if (device === 'tensorflow' || isOpenVino(device)) return '';
  if (device === 'cuda' && process.platform === 'linux') {
    const { findCuda } = await import('./onnxruntime/cuda/folder.ts');
    const found = findCuda();
    return 'reason' in found ? found.reason : '';
  }
  const { supportedProviders } = await import('./onnxruntime/providers.ts');
  if (supportedProviders().includes(device)) return '';
  return `onnxruntime-node has no ${device} for ${process.platform} ${process.arch}`;
}

/** The reason in one line without a full stop, in plain words where the runtime's own are known to say little. */
function explain(device: DeviceName, reason: string): string {
  if (device === 'webgpu' && reason.includes('RequestAdapterStatus')) {
    return 'no GPU found: it needs a working Vulkan, Metal or Direct3D 12 driver';
  }
  const line = reason.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  return line.length > 300 ? `${line.slice(0, 300)}...` : line;
}
