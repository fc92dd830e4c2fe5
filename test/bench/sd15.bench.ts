/**
 * The full-size networks of Stable Diffusion 1.5 with weights from a formula. Each is run once and held against what diffusers
 * and transformers computed (test/golden/cases-sd-full, recorded by sd15.py), to 1e-4 of the largest number. Weights are
 * graph inputs, because an ONNX file holds at most 2 GB. At most 6.2 GB of memory were in use (Linux, two threads).
 *
 *     npm run bench -- sd15 --threads=2              checks every network
 *     npm run bench -- sd15 --threads=2 --turns=5    and times those of one picture of 512x512, in turns with PyTorch
 *
 * PyTorch with diffusers is found through DMD_BENCH_PYTHON or python3; without it our own times alone are printed.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Feed, Program } from '../../backend/engine/engine.ts';
import { createOnnxRuntimeEngine } from '../../backend/engine/onnxruntime/engine.ts';
import { Graph, type Tensor } from '../../backend/graph/graph.ts';
import type { ParameterSource } from '../../backend/graph/parameters.ts';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import {
  createAutoencoderKL,
  createAutoencoderTiny,
  createClipText,
  createTextUNet,
} from '../../backend/nets/stable-diffusion/index.ts';
import { stream } from '../../backend/random/stream.ts';
import { readCaseArrays } from '../golden/read-case.ts';
import { recordedWeight } from '../golden/sd-weights.ts';
import { numberOption, threadsOption } from './lib/options.ts';
import { spread } from './lib/statistics.ts';
import { findTorch, LineProcess } from './lib/torch.ts';

type Input = (name: string) => Tensor;
type Build = (source: ParameterSource, input: Input) => Record<string, Tensor>;

interface Times {
  milliseconds: number;
  /** Processor time of all threads: what is left to compare where others use the machine too. */
  cpu: number;
}

const tolerance = 1e-4;
const threads = threadsOption();
const turns = process.argv.some((word) => word.startsWith('--turns=')) ? numberOption('turns', 1) : 0;
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads });
const configs = JSON.parse(
  readFileSync(new URL('../golden/cases-sd/full-size.json', import.meta.url), 'utf8'),
) as Record<string, { config: unknown }>;
const unet = createTextUNet(configs['sd1-unet'].config);
const text = createClipText(configs['sd1-text'].config);
const autoencoder = createAutoencoderKL(configs['sd-autoencoder'].config);
const tiny = createAutoencoderTiny(configs.taesd.config);

const bothWays =
  ({ encode, decode }: typeof autoencoder | typeof tiny): Build =>
  (source, input) => ({ mean: encode(source, input('images')).mean, decoded: decode(source, input('latents')) });

const networks: Record<string, Build> = {
  text: (source, input) => ({ hidden: text.encode(source, input('ids')) }),
  taesd: bothWays(tiny),
  autoencoder: bothWays(autoencoder),
  unet: (source, input) => ({
    prediction: unet.predict(source, input('sample'), input('timestep'), input('context')),
  }),
};

/** A compiled network with everything it is fed: weights are on the device already, as those of a model in use are. */
async function prepared(name: string, build: Build, io: Readonly<Record<string, TensorData>>) {
  const graph = new Graph();
  const feeds: Record<string, Feed> = {};
  const declared = (key: string, value: () => Feed): Tensor => {
    const known = graph.inputs.get(key);
    if (known) return known;
    feeds[key] = value();
    return graph.input(key, feeds[key].shape);
  };
  const source: ParameterSource = {
    graph,
    get: (key, shape) => declared(key, () => engine.upload(recordedWeight(key, shape))),
  };
  for (const [key, result] of Object.entries(build(source, (key) => declared(key, () => io[key])))) {
    graph.output(key, result);
  }
  return { program: await engine.compile(graph, { name }), feeds };
}

async function timed(program: Program, feeds: Record<string, Feed>) {
  const before = process.cpuUsage();
  const start = performance.now();
  const results = await program.run(feeds);
  const milliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { results, times: { milliseconds, cpu: (user + system) / 1000 } };
}

async function check(name: string): Promise<void> {
  const io = readCaseArrays(`../cases-sd-full/${name}`);
  const { program, feeds } = await prepared(name, networks[name], io);
  const { results, times } = await timed(program, feeds);
  for (const [key, result] of Object.entries(results)) {
    const actual = await result.read();
    const expected = io[key].data;
    assert.equal(actual.length, expected.length, `${name}: ${key}`);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0) / largest;
    console.log(`  ${name}: ${key} [${result.shape}] off by ${worst.toExponential(1)} of the largest`);
    assert.ok(worst <= tolerance, `${name}: ${key} is off by more than ${tolerance}`);
  }
  console.log(`  ${name}: ${(times.milliseconds / 1000).toFixed(2)} s, the first time`);
  await program.dispose();
}

/** Both sides of a picture of 512x512 take turns; the first turn warms both up. */
async function compare(
  name: string,
  build: Build,
  io: Record<string, TensorData>,
  python: string | null,
): Promise<void> {
  const { program, feeds } = await prepared(name, build, io);
  const script = fileURLToPath(new URL('./sd15.py', import.meta.url));
  const child = python ? new LineProcess(python, [script, name, `--threads=${threads}`]) : null;
  await child?.next();
  const ours: Times[] = [];
  const theirs: Times[] = [];
  for (let turn = -1; turn < turns; turn++) {
    const { times } = await timed(program, feeds);
    const answer = child ? ((await child.ask()) as Times) : null;
    if (turn < 0) continue;
    ours.push(times);
    if (answer) theirs.push(answer);
  }
  child?.close();
  await program.dispose();
  const describe = (who: string, all: Times[]) => {
    const [wall, cpu] = [all.map(({ milliseconds }) => milliseconds), all.map(({ cpu }) => cpu)];
    console.log(`  ${name}, ${who}: ${spread(wall, 0)} ms (processor ${spread(cpu, 0)})`);
  };
  describe('this project', ours);
  if (theirs.length === 0) return;
  describe('PyTorch', theirs);
  const ratio = (of: keyof Times) =>
    spread(
      ours.map((turn, i) => turn[of] / theirs[i][of]),
      2,
    );
  console.log(`  ${name}: ratio ${ratio('milliseconds')}; of processor time ${ratio('cpu')}`);
}

console.log(`Stable Diffusion 1.5 with weights by formula, ${threads} thread(s)`);
for (const name of Object.keys(networks)) await check(name);
if (turns > 0) {
  const torch = findTorch();
  if ('missing' in torch) console.log(`skipped: no comparison, ${torch.missing}. Set DMD_BENCH_PYTHON.`);
  else console.log(`PyTorch ${torch.version} and this project, in turns`);
  const python = 'missing' in torch ? null : torch.python;
  const shape = [1, 4, 64, 64];
  const latents = { shape, data: stream(15, 'latents').randn(sizeOf(shape)) };
  await compare('text', networks.text, readCaseArrays('../cases-sd-full/text'), python);
  const decode: Build = (source, input) => ({ decoded: autoencoder.decode(source, input('latents')) });
  await compare('decoder', decode, { latents }, python);
  await compare('unet', networks.unet, readCaseArrays('../cases-sd-full/unet'), python);
}
await engine.dispose();
