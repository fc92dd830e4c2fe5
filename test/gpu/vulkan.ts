/**
 * The adapters that Vulkan has, asked through its loader: what WebGPU computes on under Linux. Offsets are those of the structs in
 * vulkan_core.h (1.1 and 1.2) on 64-bit systems. A broken driver may end the process: ask in one of its own.
 */
import { loadKoffi } from '../../backend/native/koffi.ts';

export interface Adapter {
  readonly name: string;
  /** `cpu` is a software adapter. */
  readonly kind: 'other' | 'integrated' | 'discrete' | 'virtual' | 'cpu';
  /** E.g. `NVIDIA, 580.95.05`. */
  readonly driver: string;
  /** Of Vulkan, e.g. `1.3.289`. */
  readonly version: string;
  /** Bytes of the device's own memory. */
  readonly memory: number;
  /** Bytes of the largest storage buffer that a shader may bind. */
  readonly largestBuffer: number;
  /** Storage buffers of one shader. */
  readonly buffers: number;
  /** Bytes that the threads of a work group share. */
  readonly shared: number;
  /** Threads of a work group. */
  readonly group: number;
  /** Whether shaders compute in float16. */
  readonly halves: boolean;
}

/** `problem`: why there are none, and what to do; one line. */
export type Adapters = { readonly adapters: readonly Adapter[] } | { readonly problem: 'no loader' | 'no driver' };

const loaders: Readonly<Record<string, string>> = { linux: 'libvulkan.so.1', win32: 'vulkan-1.dll' };

export const hasVulkan = process.platform in loaders;

const kinds = ['other', 'integrated', 'discrete', 'virtual', 'cpu'] as const;
/** Values of VkStructureType. */
const type = {
  application: 0,
  instance: 1,
  ...{ features2: 1000059000, properties2: 1000059001, float16: 1000082000, driver: 1000196000 },
} as const;
const vulkan11 = (1 << 22) | (1 << 12);

export function vulkanAdapters(): Adapters {
  const koffi = loadKoffi();
  const library = open(koffi);
  if (!library) return { problem: 'no loader' };
  const call = (name: string, result: string, types: string[], ...values: unknown[]) =>
    library.func(name, result, types)(...values) as number;
  const address = (memory: Buffer) => koffi.address(memory) as bigint;
  const application = struct(48, type.application);
  application.writeUInt32LE(vulkan11, 44);
  const creation = struct(64, type.instance);
  creation.writeBigUInt64LE(address(application), 24);
  const instance = Buffer.from(new ArrayBuffer(8));
  if (call('vkCreateInstance', 'int', ['void *', 'void *', 'void *'], creation, null, instance) !== 0)
    return { problem: 'no driver' };
  const handle = instance.readBigUInt64LE();
  const count = Buffer.from(new ArrayBuffer(4));
  const listing = ['uint64', 'void *', 'void *'];
  call('vkEnumeratePhysicalDevices', 'int', listing, handle, count, null);
  const devices = Buffer.from(new ArrayBuffer(8 * Math.max(1, count.readUInt32LE())));
  call('vkEnumeratePhysicalDevices', 'int', listing, handle, count, devices);
  const ask = (name: string, device: bigint, into: Buffer) => call(name, 'void', ['uint64', 'void *'], device, into);
  const adapters = Array.from({ length: count.readUInt32LE() }, (_, i) => {
    const device = devices.readBigUInt64LE(8 * i);
    const driver = struct(536, type.driver);
    const properties = struct(840, type.properties2, address(driver));
    ask('vkGetPhysicalDeviceProperties2', device, properties);
    const float16 = struct(24, type.float16);
    const features = struct(240, type.features2, address(float16));
    ask('vkGetPhysicalDeviceFeatures2', device, features);
    const memory = Buffer.from(new ArrayBuffer(520));
    ask('vkGetPhysicalDeviceMemoryProperties', device, memory);
    return described(properties.subarray(16), driver, memory, float16.readUInt32LE(16) === 1);
  });
  call('vkDestroyInstance', 'void', ['uint64', 'void *'], handle, null);
  return adapters.length > 0 ? { adapters } : { problem: 'no driver' };
}

function open(koffi: ReturnType<typeof loadKoffi>) {
  try {
    return koffi.load(loaders[process.platform]!);
  } catch {
    return null;
  }
}

/** Zeros, with the struct's type and, where there is one, what it points on to. */
function struct(bytes: number, structure: number, next = 0n): Buffer {
  const made = Buffer.from(new ArrayBuffer(bytes));
  made.writeUInt32LE(structure);
  made.writeBigUInt64LE(next, 8);
  return made;
}

/** @param of VkPhysicalDeviceProperties, whose limits begin at 296 */
function described(of: Buffer, driver: Buffer, memory: Buffer, halves: boolean): Adapter {
  const limit = (at: number) => of.readUInt32LE(296 + at);
  const version = of.readUInt32LE();
  return {
    name: textAt(of, 20),
    kind: kinds[of.readUInt32LE(16)] ?? 'other',
    driver: [textAt(driver, 20), textAt(driver, 276)].filter((part) => part !== '').join(', ') || 'does not say',
    version: `${(version >> 22) & 127}.${(version >> 12) & 1023}.${version & 4095}`,
    memory: ownMemory(memory),
    largestBuffer: limit(28),
    ...{ buffers: limit(76), shared: limit(216), group: limit(232), halves },
  };
}

/** The heaps that are the device's own (VK_MEMORY_HEAP_DEVICE_LOCAL_BIT). */
function ownMemory(properties: Buffer): number {
  const heaps = Array.from({ length: properties.readUInt32LE(260) }, (_, i) => 264 + 16 * i);
  const own = heaps.filter((at) => (properties.readUInt32LE(at + 8) & 1) === 1);
  return own.reduce((sum, at) => sum + Number(properties.readBigUInt64LE(at)), 0);
}

function textAt(memory: Buffer, start: number): string {
  return memory.subarray(start, memory.indexOf(0, start)).toString('utf8');
}
