/**
 * How long a prompt takes with the built-in text model: from a request to the PNG, through a backend process as the editor
 * has one. New words each time, as when somebody types.
 *
 *     npm run bench -- prompt --turns=60
 */
import { generateImages } from '../../backend/protocol/rpc/images.ts';
import { startBackend } from '../unit/server/connect.ts';
import { numberOption } from './lib/options.ts';
import { quantile, spread } from './lib/statistics.ts';

const turns = numberOption('turns', 60);
const colours = ['red', 'green', 'blue', 'yellow', 'white', 'black', 'purple', 'orange'];
const shapes = ['circle', 'square', 'triangle', 'star', 'heart', 'ring'];
const { client, child, exited } = await startBackend();
try {
  await ask('builtin:scenes-text', 0, 1);
  const one: number[] = [];
  const began = performance.now();
  for (let i = 1; i <= turns; i++) one.push(await ask('builtin:scenes-text', i, 1));
  const perSecond = turns / ((performance.now() - began) / 1000);
  console.log(
    `generator: ${spread(one, 1)} ms from prompt to PNG, at most ${quantile(one, 1).toFixed(0)}; ${perSecond.toFixed(1)} a second`,
  );
  for (const steps of [4, 25]) {
    await ask('builtin:scenes-text/teacher', 0, steps);
    const many: number[] = [];
    for (let i = 1; i <= 5; i++) many.push(await ask('builtin:scenes-text/teacher', i, steps));
    console.log(`teacher, ${steps} steps with guidance: ${spread(many, 0)} ms`);
  }
} finally {
  child.disconnect();
  await exited;
}

/** Milliseconds. */
async function ask(model: string, turn: number, steps: number): Promise<number> {
  const pick = (names: readonly string[], by: number) => names[Math.floor(turn / by) % names.length]!;
  const prompt = `a ${pick(colours, 1)} ${pick(shapes, 2)} on a ${pick(colours, 3)} ground, ${turn}`;
  const start = performance.now();
  const settings = { model, seeds: [7], classes: null, prompt, steps, device: 'cpu' };
  const { images } = await client.request(generateImages, { id: String(turn), settings, metadata: true });
  if (images.length !== 1) throw new Error(`${images.length} images`);
  return performance.now() - start;
}
