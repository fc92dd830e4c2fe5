/** Makes an input smaller as long as it is the same finding: files and halves, quarters ... of them are taken out. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sizeOf, writeFiles } from './files.ts';
import type { Judge } from './judge.ts';
import { isFinding, type Outcome } from './order.ts';

type Bytes = Record<string, Uint8Array>;

/** What tells findings apart: its kind, and for an error its words without numbers and the first place of this program. */
export function signatureOf({ kind, what }: Outcome): string {
  if (kind !== 'bug' && kind !== 'crash') return kind;
  const [first = ''] = what.split('\n');
  const [place = ''] = /(?:backend|test\/fuzz)\/[^\s)]*?\.ts/.exec(what) ?? [];
  return `${kind} ${first
    .replace(/\d+/g, 'N')
    .replace(/(['"`]).*?\1/g, 'X')
    .replace(/\/\S+/g, '')
    .slice(0, 80)} ${place}`;
}

/** @param seconds after which the smallest so far is taken */
export async function shrink(judge: Judge, reader: string, files: Bytes, found: Outcome, seconds = 60): Promise<Bytes> {
  const wanted = signatureOf(found);
  const end = performance.now() + 1000 * seconds;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-shrink-'));
  let best = files;
  const tried = async (candidate: Bytes): Promise<boolean> => {
    if (performance.now() > end || sizeOf(candidate) >= sizeOf(best)) return false;
    fs.rmSync(folder, { recursive: true });
    writeFiles(folder, candidate);
    fs.mkdirSync(folder, { recursive: true });
    const outcome = await judge.judge({ reader, input: { folder } });
    if (!isFinding(outcome) || signatureOf(outcome) !== wanted) return false;
    best = candidate;
    return true;
  };
  for (const name of Object.keys(files)) {
    const { [name]: _, ...others } = best;
    await tried(others);
  }
  for (const name of Object.keys(best)) {
    for (let piece = Math.ceil(best[name]!.length / 2); piece >= 1; piece = Math.floor(piece / 2)) {
      for (let at = 0; at < best[name]!.length; ) {
        if (performance.now() > end) break;
        const bytes = best[name]!;
        const without = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + piece)]);
        if (!(await tried({ ...best, [name]: without }))) at += piece;
      }
    }
  }
  fs.rmSync(folder, { recursive: true, force: true });
  return best;
}
