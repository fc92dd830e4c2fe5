/** How long the server takes to read a long run that it has not read before. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { encodeEvent } from '../../../backend/runs/events/proto.ts';
import { encodeRecord } from '../../../backend/runs/events/record.ts';
import { RunHistory } from '../../../backend/server/runs/history.ts';
import { sixteenTags } from '../../webview/monitor/long-runs.ts';

/** @returns milliseconds */
export async function timeReading(steps: number): Promise<number> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-bench-'));
  try {
    const file = path.join(folder, 'events.out.tfevents.1700000000.host');
    const none = { fileVersion: '', restart: false };
    const records: Uint8Array[] = [];
    for (let step = 1; step <= steps; step++) {
      const values = sixteenTags.map((tag) => ({ kind: 'scalar' as const, tag, value: Math.random() }));
      records.push(encodeRecord(encodeEvent({ ...none, wallTime: 1e9 + step, step, values })));
      if (records.length === 10_000 || step === steps) fs.appendFileSync(file, Buffer.concat(records.splice(0)));
    }
    const history = new RunHistory(folder);
    const start = performance.now();
    await history.advance();
    const took = performance.now() - start;
    if (history.lastStep !== steps) throw new Error(`read up to step ${history.lastStep}`);
    return took;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
