/** Reads one input after the other as it is told; whoever forked it watches its time, its memory and its end. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { systemErrorWords } from '../../backend/files/disk.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { Dice } from './dice.ts';
import { readFiles, sizeOf, writeFiles } from './files.ts';
import { isFinding, mostMemory, type Order, type Outcome, smallBytes } from './order.ts';
import { prepare, readers } from './readers/index.ts';

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-fuzz-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));
process.on('disconnect', () => process.exit());

/** Characters that a person is shown. A config may have many mistakes; what a file holds is no message. */
const mostWords = 10_000;
const nothing = { peakBytes: 0, inputBytes: 0, milliseconds: 0 };
let inputs = 0;

/** Of what nobody caught, such as an error event or a promise that was let go. */
let stray: unknown;
process.on('uncaughtException', (error) => {
  stray ??= error;
});
process.on('unhandledRejection', (error) => {
  stray ??= error;
});

await prepare();
process.on('message', async (order: Order) => {
  // An input that cannot be made is a fault of the fuzzing.
  process.send!(await carryOut(order).catch((error: unknown) => ({ ...nothing, kind: 'bug', what: wordsOf(error) })));
});
process.send!('ready');

async function carryOut({ reader: name, input }: Order): Promise<Outcome> {
  const reader = readers.find((candidate) => candidate.name === name)!;
  const files = 'seed' in input ? reader.make(new Dice(name, input.seed)) : readFiles(input.folder);
  const folder = path.join(scratch, String(++inputs));
  fs.mkdirSync(folder);
  writeFiles(folder, files);
  const peak = watchPeak();
  const start = performance.now();
  const inputBytes = sizeOf(files);
  const outcome = await attempt(reader.read, folder, reader.isRefusal);
  const measured = { peakBytes: peak(), inputBytes, milliseconds: performance.now() - start };
  fs.rmSync(folder, { recursive: true, force: true });
  if (isFinding({ ...outcome, ...measured }) || measured.peakBytes < mostMemory || inputBytes > smallBytes) {
    return { ...outcome, ...measured };
  }
  return { ...measured, kind: 'memory', what: `${Math.round(measured.peakBytes / 2 ** 20)} MB` };
}

async function attempt(
  read: (folder: string) => Promise<unknown>,
  folder: string,
  isRefusal: (error: unknown) => boolean = () => false,
): Promise<Pick<Outcome, 'kind' | 'what'>> {
  stray = undefined;
  let kind: Outcome['kind'] = 'read';
  let what = '';
  try {
    await read(folder);
  } catch (thrown) {
    const error = systemErrorWords(thrown); // as the funnels of errors do
    kind = error instanceof UserError || isRefusal(error) ? 'refused' : 'bug';
    what = wordsOf(error);
    const words = error instanceof UserError ? error.message.length + error.hint.length : 0;
    if (words > mostWords) [kind, what] = ['bug', `a message of ${words} characters: ${what}`];
  }
  await new Promise((resolve) => setImmediate(resolve));
  return stray === undefined ? { kind, what } : { kind: 'bug', what: `not caught: ${wordsOf(stray)}` };
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? (error.stack ?? error.message) : String(error)).slice(0, 4000);
}

/** The most memory that a process ever had, in bytes. */
const highest = () => 1024 * process.resourceUsage().maxRSS;

/** The most memory since it was called, as far as the system tells: no peak below an earlier one is seen. */
function watchPeak(): () => number {
  const before = highest();
  return () => (highest() > before ? highest() : process.memoryUsage.rss());
}
