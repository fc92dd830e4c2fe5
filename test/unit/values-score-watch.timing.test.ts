/** What a stop costs: five arrays of 16 images of 3 x 64 x 64 with their statistics, by the real debugpy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ScoreWatch } from '../../extension/values/score-watch.ts';
import { limitHere } from '../machine-speed.ts';
import { noPython, PythonProgram, pythonWith } from './values/debugpy.ts';

const mostMilliseconds = 300;
const standIn = readFileSync(new URL('./values/torch_standin.py', import.meta.url), 'utf8');
const torch = pythonWith('debugpy', 'torch', 'numpy');

const program = (make: string) => `
import numpy, torch
draw = lambda: numpy.random.default_rng(1).normal(size=(16, 3, 64, 64)).astype('f4')
x, x_t, mu_real, mu_fake, weight = [${make} for _ in range(5)]
print() # stop
`;

for (const [name, make, options] of [
  ['NumPy', 'draw()', { modules: { 'torch.py': standIn } }],
  ...(torch ? ([['PyTorch', 'torch.from_numpy(draw())', { interpreter: torch }]] as const) : []),
] as const) {
  test(`a stop costs under ${mostMilliseconds} ms with arrays of ${name}`, { skip: noPython }, async (t) => {
    const running = await PythonProgram.start(t, program(make), options);
    const stopped = await running.stop();
    const watch = new ScoreWatch({ get: () => null, set: () => {} });
    const { expressions } = watch.settings;
    watch.set({ ...watch.settings, sample: 3, expressions: { ...expressions, weight: 'weight' } });
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const read = await watch.read(watch.newStop(), stopped, { where: '', session: '' });
      for (const role of ['x', 'xt', 'real', 'fake', 'weight'] as const) {
        const reading = read!.readings[role];
        assert.ok(
          reading && 'value' in reading && reading.value.counted && reading.value.numbers?.length === 3 * 64 * 64,
        );
      }
      times.push(read!.took);
    }
    const said = `${times.map((time) => time.toFixed(0)).join(', ')} ms`;
    t.diagnostic(said);
    const median = times.toSorted((a, b) => a - b)[2]!;
    assert.ok(median < limitHere(mostMilliseconds), said);
  });
}
