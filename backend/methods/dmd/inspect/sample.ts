/** Which image is inspected: its noise and what it is of, as pictures are generated or as the run records them. */
import { oneHot } from '../../../data/dataset.ts';
import { sizeOf, type TensorData } from '../../../graph/tensor-data.ts';
import type { ConditionSource, HostTensors, OpenConditions } from '../../../models/conditions.ts';
import { UserError } from '../../../protocol/errors.ts';
import type { InspectionQuery } from '../../../protocol/inspection.ts';
import { StackedGenerator } from '../../../random/stacked-generator.ts';
import { stream } from '../../../random/stream.ts';

export interface Recorded {
  /** Of the run, and how many pictures are in its grid. */
  readonly seed: number;
  readonly samples: number;
  readonly probe: { readonly seed: number; readonly count: number };
}

export interface SampleOptions {
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly conditions: OpenConditions;
  /** 0 for a network without classes, null for one of prompts. */
  readonly classes: number | null;
  readonly recorded: Recorded;
  /** Of the run, by number. */
  prompts(): readonly string[];
}

export interface ChosenSample {
  /** [1, ...shape], standard normal. */
  readonly z: TensorData;
  readonly noise: TensorData;
  readonly conditions: HostTensors;
  readonly class: number | null;
  readonly prompt: string | null;
}

/** @throws UserError('usage') for a picture that is not recorded, a class that is not there, a prompt for a network of classes */
export async function chooseSample(
  options: SampleOptions,
  { sample, condition }: Pick<InspectionQuery, 'sample' | 'condition'>,
): Promise<ChosenSample> {
  const { recorded } = options;
  const numbers = sizeOf(options.shape);
  const tensor = (data: Float32Array): TensorData => ({ shape: [1, ...options.shape], data });
  const row = (seed: number, of: 'samples' | 'probe', name: string, index: number, count: number) => {
    if (index >= count) throw notRecorded(of, index, count);
    // The whole grid's draw, of which a sample is a row: normals come in blocks.
    const all = stream(seed, of, name).randn(count * numbers);
    return tensor(all.slice(index * numbers, (index + 1) * numbers));
  };
  if (sample.kind === 'seed') {
    const random = new StackedGenerator([sample.seed]);
    const z = tensor(random.randn(numbers));
    const drawn = options.classes ? random.randint(0, options.classes)[0]! : 0;
    const noise = tensor(stream(recorded.seed, 'inspect', String(sample.seed)).randn(numbers));
    return { z, noise, ...(await chooseCondition(options, condition, drawn)) };
  }
  const { index } = sample;
  if (sample.kind === 'samples') {
    const z = row(recorded.seed, 'samples', 'z', index, recorded.samples);
    const noise = tensor(stream(recorded.seed, 'inspect', 'samples', index).randn(numbers));
    return { z, noise, ...(await chooseCondition(options, condition, index)) };
  }
  const { seed, count } = recorded.probe;
  const [z, noise] = ['z', 'noise'].map((name) => row(seed, 'probe', name, index, count));
  return { z: z!, noise: noise!, ...(await chooseCondition(options, condition, index)) };
}

/** @param own the class, or the number of the prompt, unless one is asked for; beyond the last they begin anew */
async function chooseCondition(
  { conditions, classes, prompts }: SampleOptions,
  condition: InspectionQuery['condition'],
  own: number,
): Promise<Pick<ChosenSample, 'conditions' | 'class' | 'prompt'>> {
  if (classes === null) {
    const all = prompts();
    const prompt = condition && 'prompt' in condition ? condition.prompt : all[own % all.length]!;
    if (condition && 'class' in condition) {
      throw new UserError('usage', 'this model takes a prompt, not a class', 'Give a prompt.');
    }
    return { conditions: await feedsOf(conditions.ofPairs([prompt])), class: null, prompt };
  }
  if (condition && 'prompt' in condition) {
    throw new UserError('usage', 'this model takes a class, not a prompt', 'Choose a class.');
  }
  if (classes === 0) return { conditions: {}, class: null, prompt: null };
  const id = condition ? condition.class : own % classes;
  if (id >= classes) {
    throw new UserError('usage', `there is no class ${id}`, `Choose one of 0 to ${classes - 1}.`);
  }
  return { conditions: await conditions.source.feeds(oneHot([id], classes)), class: id, prompt: null };
}

function feedsOf(source: ConditionSource): Promise<HostTensors> {
  return source.feeds({ shape: [1, 1], data: Float32Array.of(0) });
}

function notRecorded(of: 'samples' | 'probe', index: number, count: number): UserError {
  const what = of === 'samples' ? 'samples' : 'images in its probe';
  const hint = count > 0 ? `Choose one of 1 to ${count}.` : 'Choose a seed.';
  return new UserError('usage', `the run records ${count} ${what}: there is no number ${index + 1}`, hint);
}
