// Prints what a run folder says of a training, as JSON: the Frechet distance over the processor seconds of its iterations alone, which
// neither measuring nor recording is part of, all these seconds, and the most memory.
//
//   node --import ./test/sources.mjs scripts/results/training-curves.mjs RUN IMAGES_PER_UPDATE
import { readHistory } from '../../backend/runs/events/history.ts';
import { runPaths } from '../../backend/runs/folder/run-folder.ts';

const [folder, images] = process.argv.slice(2);
const { history } = readHistory(runPaths(folder).events);
const points = (tag) => history.points('scalar', tag).map(({ step, value }) => [step, value.value]);
const after = new Map([[0, 0]]);
let seconds = 0;
const processors = new Map(points('speed/processors in use'));
for (const [step, speed] of points('speed/images per second')) {
  seconds += (processors.get(step) * Number(images)) / speed;
  after.set(step, seconds);
}
const tag = history.tags('scalar').find((name) => name.startsWith('quality/fd'));
const quality = points(tag).map(([step, distance]) => ({ seconds: after.get(step), distance }));
const megabytes = Math.max(...points('memory/resident MB').map(([, value]) => value));
console.log(JSON.stringify({ seconds, megabytes, quality }));
