/** A run as the backend tells of it. */
import type { RunRecord } from '../../../backend/protocol/rpc/index.ts';

export function runRecord(change: Partial<RunRecord> = {}): RunRecord {
  return {
    folder: '/w/runs/a',
    name: 'a',
    tags: [],
    kind: 'distill',
    state: 'running',
    step: 1200,
    iterations: 5000,
    device: 'cpu',
    threads: 2,
    ranks: 1,
    createdAt: '2026-01-02T03:04:05.000Z',
    startedAt: null,
    endedAt: null,
    updatedAt: null,
    secondsLeft: 754,
    work: null,
    process: { pid: 7, reachable: true },
    error: null,
    ...change,
  };
}
