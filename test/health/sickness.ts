/** How a run is made sick: between its stages, by what a mistake in a trainer would do there. The backend's own code is as it is. */
import { isDeviceTensor } from '../../backend/engine/engine.ts';
import type { TensorData } from '../../backend/graph/tensor-data.ts';
import type { Between } from '../../backend/training/iteration.ts';
import type { Sickness } from './seeds.ts';

/** What to do after every stage. */
export function infect(sickness: Sickness): (between: Between) => Promise<void> {
  switch (sickness) {
    case 'fake score frozen':
      return async (between) => {
        if (between.stage === 'draw') between.skipUpdate('fake');
      };
    case 'fake score 10 times too slow':
      return async (between) => {
        if (between.stage === 'draw' && between.step % 10 !== 0) between.skipUpdate('fake');
      };
    case 'gradient 100 times too large':
      return at('gradient', async (between) => {
        const grad = await read(between, 'grad');
        between.replace('grad', { shape: grad.shape, data: grad.data.map((value) => 100 * value) });
      });
    case 'gradient not normalised':
      // The division by mean|x - mu_real| is forgotten.
      return at('gradient', async (between) => {
        const [real, fake] = [await read(between, 'muReal'), await read(between, 'muFake')];
        between.replace('grad', { shape: real.shape, data: fake.data.map((value, i) => value - real.data[i]!) });
      });
    case 'one noise level for the batch':
      return async (between) => {
        const name = { draw: 'sigma', 'fake-score draw': 'sigmaFake' }[between.stage];
        if (name === undefined) return;
        const { shape, data } = await read(between, name);
        between.replace(name, { shape, data: data.slice().fill(data[0]!) });
      };
    default:
      return async () => {};
  }
}

/** What is made wrong by the settings instead. */
export const rateFactor = (sickness: Sickness) => (sickness === 'learning rate 100 times too high' ? 100 : 1);

function at(stage: string, act: (between: Between) => Promise<void>): (between: Between) => Promise<void> {
  return async (between) => {
    if (between.stage === stage) await act(between);
  };
}

async function read(between: Between, name: string): Promise<TensorData> {
  const tensor = between.tensor(name);
  return isDeviceTensor(tensor) ? { shape: tensor.shape, data: (await tensor.read()).slice() } : tensor;
}
