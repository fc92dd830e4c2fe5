/** A run in a process that waits to be killed once it has recorded a step. */
import { RunControl } from '../../../backend/runs/loop/control.ts';
import { trainingRun } from '../../../backend/runs/loop/training-run.ts';

const [start, step] = process.argv.slice(2);
const control = new RunControl();
await trainingRun({ start: JSON.parse(start), set: [], half: false }, control, (message) => {
  if (message.type === 'opened') console.log(`folder ${message.folder}`);
  if (message.type === 'failed') console.log(message.error.message);
  if (message.type !== 'step' || message.step !== Number(step)) return;
  console.log('reached');
  // Blocks here, in the middle of the run, until the kill comes.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000);
});
