/** The score watch on a person's own loop, stopped by the real debugpy at three steps of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScoreReading, ScoreSettings } from '../../backend/protocol/panels/score-watch.ts';
import { scorePresets } from '../../backend/protocol/values/score-presets.ts';
import { ScoreWatch } from '../../extension/values/score-watch.ts';
import { noPython, PythonProgram, type Stopped } from './values/debugpy.ts';

const program = `
import numpy
generator = numpy.random.default_rng(5)
def other():
    return 1 # stop
def compute_distribution_matching_loss(latents, step):
    timestep_sigma = numpy.array([0.5, 2.0], 'f4').reshape(2, 1, 1, 1)
    noisy_latents = latents + timestep_sigma * generator.normal(size=latents.shape).astype('f4')
    pred_real_image = 0.5 * latents + step
    pred_fake_image = 0.25 * latents
    weight_factor = numpy.abs(latents - pred_real_image).mean((1, 2, 3), keepdims=True)
    return weight_factor # stop
def main(step):
    latents = numpy.arange(2 * 3 * 4 * 5, dtype='f4').reshape(2, 3, 4, 5) / 10 + step
    if step == 2:
        latents = latents[:, :, :3]
    compute_distribution_matching_loss(latents, step)
    if step == 0: other()
for step in range(3): main(step)
print('done')
`;

const stop = ({ line }: Stopped) => ({ where: `program.py:${line}`, session: 'test' });
const numbers = (reading: ScoreReading | undefined) => {
  assert.ok(reading && 'value' in reading, JSON.stringify(reading));
  return [...reading.value.numbers!];
};

/** What the program's latents are, rounded as float32 rounds. */
const latents = (step: number, sample: number, rows: number) =>
  Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => Math.fround(Math.fround(i / 10) + step))
    .filter((_, i) => Math.floor(i / 60) === sample)
    .filter((_, i) => Math.floor((i % 20) / 5) < rows);

test('a loop with the names of public code is followed stop by stop', { skip: noPython }, async (t) => {
  const running = await PythonProgram.start(t, program);
  let saved: unknown = null;
  const memory = {
    get: () => saved,
    set: (settings: ScoreSettings) => {
      saved = structuredClone(settings);
    },
  };
  const watch = new ScoreWatch(memory);
  const { expressions } = scorePresets.find(({ name }) => name.startsWith('DMD2, EDM'))!;
  watch.set({ expressions, sample: 1, frame: 0, follow: true });
  assert.deepEqual(new ScoreWatch(memory).settings, watch.settings, 'another window of the workspace has them');

  for (let step = 0; step < 3; step++) {
    const stopped = step === 0 ? await running.stop() : await running.next();
    let asked = 0;
    const counting: Stopped = {
      ...stopped,
      request: (command, args) => {
        asked++;
        return stopped.request(command, args);
      },
    };
    const read = await watch.read(watch.newStop(), counting, stop(stopped));
    assert.ok(read);
    const { x, real, fake, weight, alpha, sigma } = read.readings;
    const expected = latents(step, 1, step === 2 ? 3 : 4);
    assert.deepEqual(numbers(x), expected);
    const close = (found: number[], wanted: number[]) => {
      assert.equal(found.length, wanted.length);
      for (const [i, value] of found.entries())
        assert.ok(Math.abs(value - wanted[i]!) < 1e-5, `${value}, ${wanted[i]}`);
    };
    const reals = expected.map((value) => 0.5 * value + step);
    close(numbers(real), reals);
    close(
      numbers(fake),
      expected.map((value) => 0.25 * value),
    );
    const distance = expected.reduce((sum, value, i) => sum + Math.abs(value - reals[i]!), 0) / expected.length;
    close(numbers(weight), [1 / distance]);
    assert.deepEqual([numbers(alpha), numbers(sigma)], [[1], [2]]);
    if (step === 1) assert.equal(asked, 7, 'one question for each, once it is known what they are');
    if (step === 0) {
      const elsewhere = await running.next();
      assert.equal(await watch.read(watch.newStop(), elsewhere, stop(elsewhere)), null, 'a stop elsewhere is no news');
    }
  }
  assert.deepEqual(
    watch.stops.map(({ id }) => id),
    [1, 3, 4],
  );
  // Another sample of the same stop takes its place; what cannot be read is said in its own place.
  const last = await running.stop();
  watch.set({ ...watch.settings, sample: 0, expressions: { ...expressions, weight: 'nobody' } });
  const again = await watch.read(4, last, stop(last));
  assert.deepEqual(numbers(again!.readings.x), latents(2, 0, 3));
  assert.match((again!.readings.weight as { problem: string }).problem, /NameError: name 'nobody'/);
  assert.equal(watch.stops.length, 3);
  assert.equal(await running.finish(), 'done\n');
});
