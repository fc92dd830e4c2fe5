/**
 * Rows of the benchmarks' table on the device, in turns with the CPU and with PyTorch where a Python has it. Sides are compared
 * before any time counts (docs/benchmarks.md).
 */
import { existsSync, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type DeviceName, openDevice } from '../../../backend/engine/open.ts';
import { packageRoot } from '../../../backend/files/package.ts';
import { median, spread } from '../../bench/lib/statistics.ts';
import { type Contender, openPeer } from '../../bench/table/contender.ts';
import { countingFlops } from '../../bench/table/flops.ts';
import { requireAgreement, takeTurns } from '../../bench/table/measure.ts';
import { type Row, rowOf } from '../../bench/table/rows.ts';
import type { Findings } from '../record.ts';
import { findTorchDevice, type TorchFound } from '../torch.ts';
import type { StepContext } from './step.ts';

const [first, second] = ['sample-built-in', 'dmd-built-in'];
const further = ['heun-built-in', 'sample-cifar', 'dmd-cifar', 'sample-text', 'lpips'];
/** A bundle does not carry every model. */
const needs: Readonly<Record<string, string>> = {
  'heun-built-in': 'scenes/teacher.safetensors',
  'sample-text': 'scenes-text',
};

/** In the order in which they are measured: what matters most first, if the time is up. */
function rowsFor({ full, small }: StepContext['settings']): readonly Row[] {
  const wanted = small ? [first] : [first, second, ...(full ? further : [])];
  return wanted.filter((id) => existsSync(path.join(packageRoot(), 'media', needs[id] ?? ''))).map(rowOf);
}

/** Of the largest number; a graphics card rounds in other places, and a peer may compute in TF32. */
const tolerance = 5e-3;

interface Measured {
  readonly row: string;
  readonly sides: readonly {
    readonly who: string;
    readonly engine: string;
    readonly milliseconds: readonly number[];
  }[];
  readonly flops: number;
  /** Why device and CPU could not be compared, or are apart. */
  readonly problem: string;
  /** Why PyTorch could not be. */
  readonly note: string;
}

export async function speed({ device, settings, work, tell }: StepContext): Promise<Findings> {
  const torch = findTorchDevice();
  const notes = [
    'missing' in torch
      ? `no PyTorch: ${torch.missing}; DMD_BENCH_PYTHON names a Python that has it`
      : `PyTorch ${torch.version} on ${torch.name}`,
  ];
  const measured: Measured[] = [];
  const found = () => described(measured, notes);
  for (const row of rowsFor(settings)) {
    measured.push(
      await measure(row, { device, settings, torch, folder: path.join(work, `speed-${device}-${row.id}`) }),
    );
    tell(found());
  }
  return found();
}

interface Sides {
  readonly device: DeviceName;
  readonly settings: StepContext['settings'];
  readonly torch: TorchFound;
  readonly folder: string;
}

async function measure(row: Row, { device, settings, torch, folder }: Sides): Promise<Measured> {
  mkdirSync(folder, { recursive: true });
  const threads = settings.threads || availableParallelism();
  const opened: Contender[] = [];
  let [problem, note] = ['', ''];
  try {
    opened.push(await openHere(row, { device, threads, folder }));
    if (device !== 'cpu') await join(opened, openHere(row, { device: 'cpu', threads, folder }));
  } catch (error) {
    problem = (error as Error).message;
  }
  if (!('missing' in torch) && problem === '') {
    try {
      await row.workload.prepare(folder);
      await join(opened, openPeer('PyTorch', { ...torch, way: 'contiguous', folder, threads }));
    } catch (error) {
      // Where device and CPU agree, this is the peer's trouble.
      note = (error as Error).message;
    }
  }
  const turns = settings.full ? row.turns : settings.small ? 1 : (row.quick?.turns ?? 1);
  const times = await takeTurns(opened, turns);
  const sides = opened.map(({ who, engine }, i) => {
    return { who, engine, milliseconds: times[i]!.map(({ milliseconds }) => milliseconds) };
  });
  const flops = opened[0]?.first.flops ?? 0;
  for (const contender of opened) await contender.end().catch(() => null);
  return { row: row.name, sides, flops, problem, note };
}

/** One more side, if it computes what the first one does. */
async function join(opened: Contender[], opening: Promise<Contender>): Promise<void> {
  const other = await opening;
  opened.push(other);
  await requireAgreement(opened[0]!, other, tolerance);
}

/** A side in this process: the device, or the CPU. */
async function openHere(
  row: Row,
  { device, threads, folder }: { device: DeviceName; threads: number; folder: string },
): Promise<Contender> {
  const { engine, flops } = countingFlops(await openDevice(device, threads));
  const began = performance.now();
  const ready = await row.workload.ready({ engine, threads, folder, begin: () => {} });
  const turn = async () => {
    const counted = flops();
    const [start, used] = [performance.now(), process.cpuUsage()];
    await ready.turn();
    const { user, system } = process.cpuUsage(used);
    return { milliseconds: performance.now() - start, cpu: (user + system) / 1000, flops: flops() - counted };
  };
  const first = await turn();
  return {
    ...{ who: device, engine: engine.device, first, firstResult: performance.now() - began, turn },
    answers: async () => new Map(Array.from(await ready.answers(), ([name, { data }]) => [name, data])),
    async end() {
      await ready.dispose();
      await engine.dispose();
      return null;
    },
  };
}

function described(measured: readonly Measured[], notes: readonly string[]): Findings {
  const rows = measured.flatMap(({ row, sides, flops }) => {
    const own = sides[0]?.milliseconds ?? [];
    return sides.map(({ who, engine, milliseconds }) => {
      const ratios = own.map((value, i) => value / milliseconds[i]!);
      const rate = flops / median(milliseconds) / 1e6;
      return [
        row,
        who,
        engine,
        spread(milliseconds, 1),
        who === sides[0]!.who ? '' : spread(ratios, 2),
        `${rate.toPrecision(3)}`,
      ];
    });
  });
  const head = ['row', 'who', 'through', 'ms', "the device's time over it", 'GFLOP/s'];
  const said = (of: (one: Measured) => string) =>
    measured.flatMap((one) => (of(one) === '' ? [] : [`${one.row}: ${of(one)}`]));
  const further = ['below 1 the device is faster; medians and quartiles', ...said(({ note }) => note)];
  return {
    table: { head, rows },
    notes: [...notes, ...further],
    failures: said(({ problem }) => problem),
    data: measured,
  };
}
