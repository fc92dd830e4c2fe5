/**
 * A run in a process of its own, which outlives whoever started it (start.ts) and is asked at its endpoint. It gets
 * one order over IPC, answers once, and leaves the channel; from then on its words go to run.log. SIGTERM and SIGINT stop
 * the run in order; a closed terminal (SIGHUP) is none of its business. As one of several ranks it finds its order among its
 * arguments (rank-order.ts); rank 0 answers, and the others follow it.
 */
import fs from 'node:fs';
import os from 'node:os';
import { describeError } from '../../files/describe-error.ts';
import { UserError } from '../../protocol/errors.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import { launchedRanks } from '../../ranks/launched.ts';
import { keepOwnCard } from '../../ranks/own-card.ts';
import { startRunThread } from '../loop/run-thread.ts';
import { type Answer, orderSchema } from './handshake.ts';
import { type LiveRun, startLiveRun } from './live-run.ts';
import { type RankOrder, rankOrder, writeAnswer } from './rank-order.ts';
import { adoptLog } from './run-log.ts';

let run: Pick<LiveRun, 'stop' | 'hurry'> | undefined;
let contact = '';
let stopAsked = false;
const launched = launchedRanks(process.env);
if (launched) keepOwnCard(launched, process.env);
/** Null for a run of one process. */
const asRank = rankOrder(process.argv);

process.on('SIGHUP', () => {});
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, stop);
// The training has a thread of its own: what goes wrong in this one must not end it.
process.on('uncaughtException', (error) => {
  log(error.stack ?? error.message);
  if (!run) process.exit(1);
});
if (asRank) void beginAsRank(asRank);
else {
  process.once('message', (order) => void begin(order));
  process.once('disconnect', () => {
    // The starter died before it said what to run.
    if (process.listenerCount('message') > 0) process.exit(1);
  });
}

/** Rank 0 leads, and is what others find in the run folder. */
async function beginAsRank({ order, host }: RankOrder): Promise<void> {
  if (launched && launched.rank > 0) return follow(order);
  if (host === os.hostname()) return begin(order);
  const error = new UserError(
    'config',
    `rank 0 is on ${os.hostname()}, and the run was started on ${host}, where it is to be found`,
    `Name ${host} first in launch.mpi.hostfile.`,
  );
  log(wordsFor({ type: 'failed', folder: null, error: describeError(error) }));
  process.exit(1);
}

function follow(value: unknown): void {
  const { request } = orderSchema.parse(value);
  const thread = startRunThread({ ...request, ...(launched && { launched }) }, (message) => {
    if (message.type !== 'failed') return;
    log(`rank ${launched?.rank}: ${wordsFor(message)}`);
    process.exitCode = 1;
  });
  run = { stop() {}, hurry: () => thread.hurry() };
  if (stopAsked) stop();
}

async function begin(value: unknown): Promise<void> {
  const { request, log: temporary } = orderSchema.parse(value);
  const live = await startLiveRun({ ...request, ...(launched && { launched }) }, (message) => {
    const line = wordsFor(message);
    if (line) log(line);
    if (message.type === 'opened') {
      if (temporary) adopt(temporary, message.folder);
      answer({ type: 'opened', folder: message.folder, contact });
    }
    if (message.type === 'failed') {
      process.exitCode = 1;
      if (temporary && message.folder === null) fs.rmSync(temporary, { force: true });
      answer({ type: 'failed', error: message.error });
    }
  });
  contact = live.contact;
  run = live;
  if (stopAsked) stop();
}

function stop(): void {
  stopAsked = true;
  run?.stop();
  run?.hurry();
}

/** The first answer counts; a starter that is gone needs none. */
function answer(message: Answer): void {
  if (asRank) writeAnswer(asRank, message);
  if (!process.connected) return;
  process.send?.(message, () => {
    if (process.connected) process.disconnect();
  });
}

function adopt(temporary: string, folder: string): void {
  try {
    adoptLog(temporary, folder);
  } catch (error) {
    log(`this log stays in ${temporary}: ${describeError(error).message}`);
  }
}

/** What a reader of run.log wants to know; the numbers are in events/. */
function wordsFor(message: RunMessage): string {
  switch (message.type) {
    case 'opened': {
      const { folder, step, iterations, device, threads, why } = message;
      return `run in ${folder}, step ${step} of ${iterations}, on ${device} with ${threads} threads: ${why}`;
    }
    case 'note':
      return `${message.level}: ${message.text}`;
    case 'state':
      return message.state;
    case 'changed':
      return `changed after step ${message.step}: ${message.set.join(', ')}`;
    case 'checkpoint':
      return `checkpoint of step ${message.step}`;
    case 'ended':
      return `${message.state} at step ${message.step} of ${message.iterations}`;
    case 'failed': {
      const { message: text, hint, stack } = message.error;
      return `failed: ${text} ${hint}\n${stack}`;
    }
    default:
      return '';
  }
}

/** A disk that is full must not end the run for the sake of its log. */
function log(text: string): void {
  try {
    fs.writeSync(1, `${new Date().toISOString()} ${text}\n`);
  } catch {}
}
