/**
 * A process, or a thread of it, that ends in the middle of a run, or while a program is compiled, without disposing of anything. Called
 * with when and how; says `under way` and `left`.
 */
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createOnnxRuntimeEngine } from '../../../backend/engine/onnxruntime/engine.ts';
import { longGraph, ones } from './long-graph.ts';

const say = (line: string) => writeSync(1, `${line}\n`);
const [when, how]: string[] = isMainThread ? process.argv.slice(2) : workerData;

async function run(): Promise<void> {
  const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 2, way: 'c-api' });
  await engine.capabilities();
  if (when === 'compiling') setTimeout(leave, 10);
  const program = await engine.compile(longGraph(when === 'compiling' ? 2000 : 100));
  const results = program.run({ x: ones() });
  setTimeout(leave, 20);
  await results;
}

function leave(): void {
  say('under way');
  if (how === 'thread is terminated') parentPort!.postMessage('now');
  else if (how !== 'process ends') process.exit();
}

if (!isMainThread || how!.startsWith('process')) {
  if (isMainThread) process.on('exit', () => say('left'));
  await run();
} else {
  const worker = new Worker(new URL(import.meta.url), { workerData: [when, how] });
  worker.on('message', () => worker.terminate());
  worker.on('exit', () => say('left'));
}
