/** A row, measured: both sides made ready, the fastest way of each peer found, turns taken, what they were. */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { median } from '../lib/statistics.ts';
import { type Contender, openOurs, openPeer, prepareRow, type Turn } from './contender.ts';
import { requireAgreement, takeTurns } from './measure.ts';
import { machine, type Peer, type Row } from './rows.ts';

export interface Side {
  readonly who: string;
  readonly engine: string;
  readonly turns: readonly Turn[];
  /** Milliseconds of loading and compiling up to the end of the first turn. */
  readonly firstResult: number;
  /** Bytes. */
  readonly peak: number | null;
}

export interface RowResult {
  readonly row: Row;
  readonly threads: number;
  readonly ours: Side;
  readonly peers: readonly Side[];
  /** Peers that could not be measured, and why. */
  readonly missing: readonly { readonly who: string; readonly why: string }[];
  /** Floating-point operations of a turn's products. */
  readonly flops: number;
  /** The machine's own matrix products in the same turns, operations a millisecond. */
  readonly rate: number;
}

export interface MeasureOptions {
  /** Of the table: what rows share lies in it. */
  readonly root: string;
  readonly turns: number;
  readonly quick: boolean;
  /** A Python with PyTorch; null: this project alone. */
  readonly python: string | null;
  /** Whether this project finds OpenVINO. */
  readonly openVino: boolean;
  readonly say: (line: string) => void;
}

/** This project with OpenVINO as its device. */
export const ownOnOpenVino = 'this project on OpenVINO';

const ways: Readonly<Record<Peer, readonly string[]>> = {
  PyTorch: ['contiguous', 'channels_last', 'compiled'],
  OpenVINO: ['openvino'],
};

export async function measureRow(row: Row, threads: number, options: MeasureOptions): Promise<RowResult> {
  const { root, turns: count, quick, python, openVino, say } = options;
  const folder = mkdtempSync(path.join(root, 'row-'));
  const opened: Contender[] = [];
  try {
    prepareRow(row.id, folder);
    const ours = await openOurs({ id: row.id, folder, threads });
    opened.push(ours);
    const missing: { who: string; why: string }[] = [];
    if (openVino && row.peers.includes('OpenVINO')) {
      opened.push(await openOurs({ id: row.id, folder, threads, who: ownOnOpenVino, device: 'openvino' }));
    }
    for (const who of python === null ? [] : row.peers) {
      const found = await fastest(who, { python: python!, folder, threads, quick });
      if ('why' in found) missing.push({ who, why: found.why });
      else {
        opened.push(found);
        await requireAgreement(ours, found);
      }
    }
    const products = await openOurs({ id: machine.id, folder, threads, who: 'machine' });
    opened.push(products);
    const turns = await takeTurns(opened, count);
    const sides: Side[] = [];
    for (const [i, contender] of opened.splice(0).entries()) {
      const { who, engine, firstResult } = contender;
      sides.push({ who, engine, firstResult, turns: turns[i]!, peak: await contender.end() });
    }
    const own = sides.pop()!;
    const rate = products.first.flops! / median(own.turns.map(({ milliseconds }) => milliseconds));
    const [first, ...peers] = sides as [Side, ...Side[]];
    return { row, threads, ours: first, peers, missing, flops: ours.first.flops!, rate };
  } catch (error) {
    say(`${row.id}: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  } finally {
    for (const contender of opened) await contender.end().catch(() => null);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Every way is tried for two turns, one at a time, because some need gigabytes; the fastest one is there at the end. In a quick table what
 * needs compiling is left out.
 */
async function fastest(
  who: Peer,
  { quick, ...how }: { python: string; folder: string; threads: number; quick: boolean },
): Promise<Contender | { why: string }> {
  const tried = ways[who].filter((way) => !quick || way !== 'compiled');
  if (tried.length === 1) return openPeer(who, { ...how, way: tried[0]! }).catch(reasonOf);
  let best: { way: string; time: number } | null = null;
  let open: { way: string; contender: Contender } | null = null;
  let why = '';
  for (const way of tried) {
    await open?.contender.end().catch(() => null);
    open = null;
    try {
      open = { way, contender: await openPeer(who, { ...how, way }) };
      const time = (await open.contender.turn()).milliseconds;
      if (best === null || time < best.time) best = { way, time };
    } catch (error) {
      why = `${way}: ${reasonOf(error).why}`;
    }
  }
  if (best === null) return { why };
  if (open?.way === best.way) return open.contender;
  await open?.contender.end().catch(() => null);
  return openPeer(who, { ...how, way: best.way });
}

const reasonOf = (error: unknown) => ({ why: error instanceof Error ? error.message : String(error) });
