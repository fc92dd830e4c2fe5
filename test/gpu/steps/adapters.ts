/** Which adapters the machine has: their names, drivers and limits; or why there is none and what to install. */
import { accessSync, constants, readdirSync } from 'node:fs';
import path from 'node:path';
import { said } from '../../bench/table/process.ts';
import type { Findings } from '../record.ts';
import { type Adapter, hasVulkan, vulkanAdapters } from '../vulkan.ts';
import type { AdapterData } from './step.ts';

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

export async function adapters(): Promise<Findings> {
  const found = hasVulkan ? vulkanAdapters() : { adapters: [] };
  const listed = 'adapters' in found ? found.adapters : [];
  const data: AdapterData = { adapters: listed, asked: hasVulkan };
  const notes = [
    ...('problem' in found ? problems[found.problem] : []),
    ...(hasVulkan
      ? []
      : [`adapters are not listed on ${process.platform}: the system's own interface does not say them here`]),
    ...(listed.length > 1
      ? ['WebGPU takes the fastest of them by what their drivers say; the runtime does not say which']
      : []),
    ...(process.platform === 'linux' && !listed.some(({ kind }) => kind !== 'cpu') ? renderNodes() : []),
    ...cudaDevices().map((line) => `nvidia-smi: ${line}`),
  ];
  const head = [
    'adapter',
    'kind',
    'driver',
    'Vulkan',
    'memory',
    'largest buffer',
    'buffers a shader',
    'shared',
    'threads a group',
    'float16',
  ];
  return { table: { head, rows: listed.map(row) }, notes, failures: [], data };
}

function row({
  name,
  kind,
  driver,
  version,
  memory,
  largestBuffer,
  buffers,
  shared,
  group,
  halves,
}: Adapter): string[] {
  return [
    ...[name, kind === 'cpu' ? 'software' : kind, driver, version, mebibytes(memory), mebibytes(largestBuffer)],
    ...[`${buffers}`, `${Math.round(shared / 1024)} KiB`, `${group}`, halves ? 'yes' : 'no'],
  ];
}

const problems = {
  'no loader': [
    'no Vulkan loader (libvulkan.so.1): install it: Debian and Ubuntu libvulkan1, Fedora vulkan-loader, Arch vulkan-icd-loader',
  ],
  'no driver': [
    'the Vulkan loader is there and finds no driver: install it: AMD and Intel mesa-vulkan-drivers (Arch vulkan-radeon, vulkan-intel), NVIDIA its own driver with the graphics part',
    'in a container the graphics part has to be let in: NVIDIA_DRIVER_CAPABILITIES=all beside --gpus all, else --device /dev/dri',
    'a driver that lies elsewhere is named by VK_DRIVER_FILES=.../icd.d/NAME.json',
  ],
} as const;

/** What stands between this person and the kernel's devices. */
function renderNodes(): string[] {
  let names: string[];
  try {
    names = readdirSync('/dev/dri').filter((name) => name.startsWith('renderD'));
  } catch {
    return ['there is no /dev/dri: the kernel has no graphics driver, or a container was not given the device'];
  }
  if (names.length === 0)
    return ['/dev/dri has no render node (renderD...): the kernel driver of the graphics card is missing'];
  return names
    .map((name) => path.join('/dev/dri', name))
    .flatMap((node) =>
      mayOpen(node) ? [] : [`you may not open ${node}: sudo usermod -aG render,video $USER, and log in again`],
    );
}

function mayOpen(node: string): boolean {
  try {
    accessSync(node, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** NVIDIA's cards in the words of their own tool. */
function cudaDevices(): string[] {
  const text = said('nvidia-smi', ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader']);
  return text.split('\n').filter((line) => line !== '');
}
