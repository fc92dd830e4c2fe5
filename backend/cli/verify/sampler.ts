/**
 * Kind `edm-sampler`: runs of EDM's sampler and of the ablation sampler on a network, each with its final images, its
 * time steps and every noise level at which the network was called.
 */
import { z } from 'zod';
import { ablationPlan, ablationSampler } from '../../diffusion/ablation-sampler.ts';
import { edmSampler, edmTimeSteps } from '../../diffusion/edm-sampler.ts';
import type { Denoise, Noise } from '../../diffusion/sampler.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import type { Network } from '../../nets/index.ts';
import { DenoiseProgram } from '../../sampling/denoise-program.ts';
import { type Case, damaged } from './case.ts';
import { type Comparison, compare, missing, type NumberArray } from './compare.ts';
import type { Kind, KindContext } from './kind.ts';
import { networkOf } from './parameters.ts';

const runSchema = z.array(
  z.looseObject({
    output: z.string(),
    function: z.string(),
    args: z.record(z.string(), z.unknown()),
    t_steps: z.array(z.number()).optional(),
    network_calls_sigma: z.array(z.number()).optional(),
  }),
);
type Run = z.infer<typeof runSchema>[number];

/** Noise levels are float64, but for the float32 sines in iddpm's; every one counts, the small ones too. */
const levelLimit = { relative: 1e-6, elementwise: 1e-5 };

export const sampler: Kind = async (context) => {
  const { case: theCase, engine } = context;
  const runs = theCase.part(runSchema, theCase.json.runs, 'runs');
  const { network, parameters } = await samplerNetwork(context);
  const latents = theCase.input('latents', [-1, ...network.imageShape]);
  const [batch] = latents.shape;
  const labelled = network.labelDim > 0 && theCase.has('class_labels');
  const shape = [batch, network.labelDim];
  // No labels are zeros (EDM's networks say so themselves).
  const labels = labelled ? theCase.input('class_labels', shape) : { shape, data: new Float32Array(sizeOf(shape)) };
  const denoiser = await DenoiseProgram.create(engine, { network, batch, weights: parameters });

  const arrays = new Map<string, NumberArray>();
  const further: Comparison[] = [];
  for (const run of runs) {
    const levels: number[] = [];
    const denoise: Denoise = (x, sigma) => {
      levels.push(sigma);
      return denoiser.denoise(x, sigma, labels);
    };
    const method = methods[run.function];
    if (!method) {
      further.push(missing(`${run.output}.function`, levelLimit, `${run.function} is not known to this version`));
      continue;
    }
    const images = await method.sample(denoise, latents.data, run.args, { noise: churnNoise(theCase, run) }, network);
    arrays.set(run.output, { shape: latents.shape, data: images });
    const list = (what: string, actual: number[], expected: number[] | undefined) => {
      if (expected) further.push(compare(`${run.output}.${what}`, vector(actual), vector(expected), levelLimit));
    };
    list('t_steps', method.times(run.args, network), run.t_steps);
    list('network_calls_sigma', levels, run.network_calls_sigma);
  }
  await denoiser.dispose();
  return { arrays, scalars: new Map(), further };
};

const methods: Record<string, { sample: typeof edmSampler | typeof ablationSampler; times: Times }> = {
  edm_sampler: { sample: edmSampler, times: (options, range) => edmTimeSteps(options, range) },
  ablation_sampler: { sample: ablationSampler, times: (options, range) => ablationPlan(options, range).times },
};
type Times = (options: Run['args'], range: Network) => number[];

const vector = (data: number[]): NumberArray => ({ shape: [data.length], data });

/** `config.net` is a network's config, or starts with the name of the case whose config and weights are meant. */
async function samplerNetwork({ case: theCase, openSibling }: KindContext) {
  const { net } = theCase.json.config;
  if (typeof net !== 'string') return networkOf(theCase, net);
  const [name] = net.split(/[\s(,]/);
  const other = await openSibling(name);
  return networkOf(other, other.json.config);
}

/** The normals that a run adds back at its steps, where it does. */
function churnNoise(theCase: Case, run: Run): Noise {
  const names = [run.noise, `${run.output}_noise`, 'churn_noise'].filter((name) => typeof name === 'string');
  const name = names.find((candidate) => theCase.has(candidate));
  return (n, i) => {
    if (!name) throw damaged(`${theCase.name}: run '${run.output}' needs the array '${names.at(-1)}'`);
    const { data } = theCase.input(name);
    if (data.length < (i + 1) * n) throw damaged(`${theCase.name}: '${name}' has no normals for step ${i}`);
    return data.subarray(i * n, (i + 1) * n);
  };
}
