/** How `npm run gpu` is called. */
import { parseArgs } from 'node:util';
import { type DeviceName, parseDevice } from '../../backend/engine/open.ts';

export interface Settings {
  /** Ten minutes in place of four. */
  readonly full: boolean;
  /** Software adapters may be used; everything is small then. */
  readonly software: boolean;
  /** Networks and cases that a slow device can do. */
  readonly small: boolean;
  readonly devices: readonly DeviceName[];
  /** Iterations beside the CPU's curves, at most. */
  readonly iterations: number;
  /** Words in the names of the steps to do; all without words. */
  readonly only: readonly string[];
  /** Times every time limit. */
  readonly patience: number;
  readonly threads: number;
  /** Where the report goes. */
  readonly out: string;
}

export const help = `npm run gpu -- [options]

  --full                ten minutes in place of four: more rows, more turns
  --device NAME,...     which devices; default webgpu,cuda,tensorflow
  --software            also where WebGPU has only a software adapter (SwiftShader, llvmpipe), with small networks
  --small               small networks, as for a software adapter
  --iterations N        DMD iterations beside the CPU's curves, at most; default 100
  --only WORD,...       only the steps whose name has one of these words
  --patience X          times every time limit; default 1
  --threads N           of the CPU; default 0, one per core
  --out FOLDER          where gpu.html and gpu.json go; default gpu-report
  --bundle FILE         instead: packs all it needs into FILE (.tar.xz or .tar.gz) for a machine without network`;

/** Throws an Error for what it does not know. */
export function parseSettings(args: readonly string[]): Settings {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ full: flag, software: flag, small: flag, device: text('webgpu,cuda,tensorflow'), iterations: text('100') },
      ...{ only: text(''), patience: text(''), threads: text('0'), out: text('gpu-report') },
    },
  });
  const { full, software } = values;
  return {
    ...{ full, software, small: values.small || software, out: values.out },
    devices: values.device.split(',').map((name) => parseDevice(name) as DeviceName),
    iterations: number('--iterations', values.iterations, 2),
    only: values.only.split(',').filter((word) => word !== ''),
    // What computes on the processor takes its time.
    patience: values.patience === '' ? (full ? 2.5 : 1) * (software ? 6 : 1) : number('--patience', values.patience, 0),
    threads: number('--threads', values.threads, 0),
  };
}

function number(name: string, value: string, least: number): number {
  const parsed = Number(value);
  if (value.trim() !== '' && parsed >= least && parsed < 1e6) return parsed;
  throw new Error(`${name} ${value} is not a number of at least ${least}`);
}
