/** EDM's networks in `dmd eval`: teachers by Heun's sampler, generators in one call. */

import { generatorCalls, type Model, openModel } from '../models/model-file.ts';
import { SeededSource } from '../sampling/seeded-images.ts';
import type { Contestant, ContestantOpener, PictureRequest } from './contestant.ts';

/** Pictures per network call. */
const batch = 50;
/** Steps of a teacher where none are asked for: what EDM uses for CIFAR-10. */
const teacherSteps = 18;

/** Takes every name: it comes last. Throws UserError('weights') as `openModel` does. */
export const openEdm: ContestantOpener = async (name, { engine, steps: asked }) => {
  const model = await openModel(name);
  const { network, weights, role } = model;
  const steps = asked ?? (role === 'generator' ? generatorCalls(model) : teacherSteps);
  const many = await SeededSource.create(engine, network, weights, batch);
  let one: SeededSource | null = null;
  const contestant: Contestant = {
    name,
    calls: steps <= generatorCalls(model) ? steps : 2 * steps - 1,
    imageShape: network.imageShape,
    takesPrompts: false,
    classes: network.labelDim,
    draw: async (request) => (await many.draw(askFor(model, steps, request))).images,
    async drawOne(seed) {
      one ??= await SeededSource.create(engine, network, weights, 1);
      return (await one.draw(askFor(model, steps, { seeds: [seed], prompts: null }))).images;
    },
    async dispose() {
      await many.dispose();
      await one?.dispose();
    },
  };
  return contestant;
};

function askFor(
  { network, generatorSigma: sigma, again, deterministic }: Model,
  steps: number,
  { seeds, signal }: PictureRequest,
) {
  const classes = network.labelDim > 0 ? seeds.map((seed) => seed % network.labelDim) : null;
  const asked = { seeds, classes, steps, sigma, again, deterministic, sampler: 'edm', samplerOptions: {} } as const;
  return { ...asked, ...(signal ? { signal } : {}) };
}
