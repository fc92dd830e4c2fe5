/** A run's endpoint without a run: the test says what happens in it, and answers what it is asked. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { RunMessage, RunMessageOf } from '../../../backend/protocol/run-messages.ts';
import type { AskRun } from '../../../backend/protocol/run-requests.ts';
import { openEndpoint } from '../../../backend/runs/live/endpoint.ts';
import type { RunLink } from '../../../backend/runs/live/link.ts';
import type { WatcherLimits } from '../../../backend/runs/live/watcher.ts';
import { uniform } from '../../random.ts';

export const opened: RunMessageOf<'opened'> = {
  ...{ type: 'opened', folder: '/runs/one', kind: 'distill', device: 'cpu', why: 'asked for', threads: 1 },
  ...{ step: 3, iterations: 9, restartAt: 4, probe: true },
};
export const stepMessage = (step: number): RunMessage => {
  const scalars = { 'loss/fake': uniform(), 'norm/fake': Number.NaN };
  return { type: 'step', step, iterations: 9, time: 1e9 + step, scalars };
};
export const probeMessage = (step: number, numbers = 6): RunMessage => {
  const tensors = [{ name: 'x', shape: [numbers], data: Float32Array.from({ length: numbers }, uniform) }];
  return { type: 'probe', step, tensors, metadata: { levels: '[1]' } };
};

/** What the run was asked, for the test to answer. */
export interface Asked {
  readonly method: string;
  readonly params: unknown;
  readonly signal: AbortSignal;
  answer(result: unknown): void;
  reject(error: Error): void;
}

export const all = { steps: true, records: true, notes: true, probe: false };
export const withProbe = { ...all, probe: true };
export const nobody: AskRun = () => assert.fail('nothing is asked');

/** Sockets go to a folder of this test alone. */
export function runtimeFolder(t: Pick<TestContext, 'after'>): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-live-'));
  const before = process.env.XDG_RUNTIME_DIR;
  process.env.XDG_RUNTIME_DIR = folder;
  t.after(() => {
    if (before === undefined) delete process.env.XDG_RUNTIME_DIR;
    else process.env.XDG_RUNTIME_DIR = before;
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export async function endpointFor(t: TestContext, limits: WatcherLimits = {}) {
  runtimeFolder(t);
  const asked: Asked[] = [];
  const notes: string[] = [];
  const listeners = new Set<() => void>();
  const heard = () => {
    for (const listener of listeners) listener();
  };
  const endpoint = await openEndpoint(
    {
      ask: async ({ method }, params, signal) => {
        const result = new Promise<never>((resolve, reject) => {
          asked.push({ method, params, signal: signal!, answer: resolve as (result: unknown) => void, reject });
        });
        heard();
        return method === 'subscribe' ? (null as never) : result;
      },
      onNote(text) {
        notes.push(text);
        heard();
      },
    },
    limits,
  );
  t.after(() => endpoint.close());
  /** Settles once `seen` is true, looked at whenever a command or a note comes. */
  const until = (seen: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (seen()) resolve();
      };
      listeners.add(look);
      look();
    });
  /** The next request of this name that nobody has answered. */
  const next = async (method: string) => {
    await until(() => asked.some((one) => one.method === method));
    return asked.splice(
      asked.findIndex((one) => one.method === method),
      1,
    )[0]!;
  };
  return { endpoint, asked, next, notes, until };
}

/** The messages of a link, and a way to wait for the one that fits. */
export function follow(link: RunLink) {
  const messages: RunMessage[] = [];
  const waiting: { fits: (message: RunMessage) => boolean; resolve: (message: RunMessage) => void }[] = [];
  link.onMessage((message) => {
    messages.push(message);
    for (const one of waiting) if (one.fits(message)) one.resolve(message);
  });
  const next = (fits: (message: RunMessage) => boolean) =>
    new Promise<RunMessage>((resolve) => {
      const there = messages.find(fits);
      if (there) resolve(there);
      else waiting.push({ fits, resolve });
    });
  return { messages, next };
}

export const isStep = (step: number) => (message: RunMessage) => message.type === 'step' && message.step === step;
