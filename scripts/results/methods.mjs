// Methods beside each other on one teacher per data set: a run per method and seed, with the same network evaluations for each. A network
// evaluation is one forward pass of the teacher's network over one image; a pass with its gradient is as many as it has operations more.
// Every config is declared here, before any run: the preset named, with the changes beside it.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Failure } from '../lib/console.mjs';
import { root, sourceLoader } from '../lib/process.mjs';
import { cell, distilled, dmd, eventOf, once } from './common.mjs';

/** Pictures that are compared in the end, and at each of `measurements` times while a run trains. */
const count = 1000;
const [measurements, measured] = [6, 250];
/** Debian's package dataset-fashion-mnist. */
const garments = '/usr/share/datasets/fashion-mnist';
/** Heun's 18 steps, which pairs are made with. */
const callsPerPair = 35;

const data = {
  scenes: { teacher: () => 'builtin:scenes/teacher', features: 'scenes', real: [], reference: [] },
  'fashion-mnist': {
    teacher: taughtGarments,
    features: 'fashion-mnist',
    real: [`data.source=${JSON.stringify(garments)}`, 'data.fit="pad"'],
    reference: [join(garments, 't10k-images-idx3-ubyte.gz')],
  },
};

/** What a two-time-scale run of a hundred or so updates wants: higher rates than the preset's 1,500 updates, and a short average. */
const brief = (lr) => [
  ...[`generator.lr=${lr}`, 'generator.warmup=10', 'generator.ema=0.9', 'fake.lr=1e-3', 'fake.warmup=10'],
  ...['discriminator.warmup=10', 'gan.generatorWeight=0.1', 'gan.discriminatorWeight=1', 'gan.maxStep=600'],
];

/**
 * Runs of a method, one after another, each from the generator of the one before: preset, changes of it for so many iterations, and the
 * share of the network evaluations.
 */
const methods = {
  DMD: [
    {
      preset: 'fashion-mnist',
      changes: (n) => [`schedules.lambda=[[${Math.round(0.3 * n)},20],[${Math.round(0.7 * n)},5]]`],
      pairs: true,
    },
  ],
  DMD2: [{ preset: 'scenes-dmd2', changes: () => brief(4e-4), real: true }],
  // As the paper begins SDXL's one-step generator.
  'DMD2 after a regression': [
    { preset: 'fashion-mnist', changes: () => ['matching.enabled=false'], pairs: true, share: 0.5 },
    { preset: 'scenes-dmd2', changes: () => brief(3e-4), real: true, share: 0.5 },
  ],
  'Diff-Instruct': [{ preset: 'scenes-diff-instruct', changes: () => [] }],
  'consistency distillation': [{ preset: 'scenes-consistency', changes: () => [], real: true }],
  'progressive distillation': [
    {
      preset: 'scenes-progressive',
      // The preset's share of each stage: else a shorter run would end before its last halving.
      changes: (n) => [`stages.iterations=[${[0.13, 0.13, 0.17, 0.23].map((share) => Math.round(share * n))}]`],
      real: true,
      probes: false,
    },
  ],
};

export function methodsTable(options) {
  return options.data.flatMap((name) => dataTable(name, options));
}

function dataTable(name, { folder: parent, seeds, evaluations, pairs: made }) {
  if (!Object.hasOwn(data, name)) throw new Failure(`no data ${name}.`, `Known are ${Object.keys(data).join(', ')}.`);
  const folder = join(parent, name);
  const set = { name, ...data[name] };
  const teacher = set.teacher(folder);
  const pairs = join(folder, 'pairs');
  dmd(['pairs', teacher, '--out', pairs, '--count', String(made), '--threads', '1']);
  // Of the teacher's network on one image, by what its pairs take.
  const { pairs: each } = once(folder, 'plan pairs', () => planOf('fashion-mnist', teacherOf(teacher)));
  const flopsPerCall = each.flopsPerPair / callsPerPair;
  const rows = Object.entries(methods).map(([method, parts]) => {
    const own = (real) => [...(real ? set.real : []), ...teacherOf(teacher)];
    const planned = parts.map(({ preset, real, changes, share = 1 }, i) => {
      const plan = once(folder, `plan ${method} ${i}`, () => planOf(preset, [...own(real), ...changes(100)]));
      const iterations = Math.round((share * evaluations * flopsPerCall) / plan.flopsPerUpdate);
      return { ...plan, iterations: Math.max(measurements, iterations) };
    });
    const trained = (seed) => {
      let generator = null;
      return parts.map(({ preset, changes, pairs: paired, real, probes }, i) => {
        const { iterations } = planned[i];
        const begun = generator ? [`generator.initial=${JSON.stringify(resolve(generator))}`] : [];
        const all = [...own(real), ...changes(iterations), ...begun, ...watched(set, iterations), 'threads=1'];
        const name = parts.length > 1 ? `${method} ${i + 1}` : method;
        const how = { changes: all, seed, iterations, pairs: paired ? pairs : null };
        const run = distilled({ folder, name, preset, ...how, probes });
        generator = join(run, 'generator.safetensors');
        return run;
      });
    };
    const runs = seeds.map((seed) => {
      const folders = trained(seed);
      return once(folder, `${method}-${seed}`, () => ({
        ...scoreModel(join(folders.at(-1), 'generator.safetensors'), set, seed),
        ...joined(folders.map((run, i) => curvesOf(run, planned[i].imagesPerUpdate))),
      }));
    });
    return { method, iterations: planned.map(({ iterations }) => iterations).join(' + '), runs };
  });
  const atTime = Math.min(...rows.flatMap(({ runs }) => runs.map(({ seconds }) => seconds)));
  return [
    `\n${name}: ${evaluations.toLocaleString('en')} network evaluations each, ${seeds.length} seeds, ${count} pictures\n`,
    `| method | updates | calls | FD (${set.features} features) | FD after ${atTime.toFixed(0)} processor seconds | right | precision | recall | diversity | processor seconds | MB |`,
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    teacherRow(folder, teacher, set, seeds),
    ...rows.map(({ method, iterations, runs }) => {
      const of = (key) => runs.map((run) => run[key]);
      const early = runs.map((run) => distanceAt(run, atTime));
      const percents = of('right').map((share) => 100 * share);
      return `| ${[
        ...[method, iterations, runs[0].calls, cell(of('distance'), 1), cell(early, 1), `${cell(percents, 1)} %`],
        ...[cell(of('precision'), 2), cell(of('recall'), 2), cell(of('diversity'), 2)],
        ...[cell(of('seconds'), 0), cell(of('megabytes'), 0)],
      ].join(' | ')} |`;
    }),
  ];
}

function watched({ features, reference }, iterations) {
  return [
    `record.quality.every=${Math.ceil(iterations / measurements)}`,
    ...[`record.quality.count=${measured}`, `record.quality.features="${features}"`],
    ...reference.map((path) => `record.quality.reference="${path}"`),
  ];
}

/** Curves of runs one after another, as of one. */
function joined(curves) {
  let seconds = 0;
  const quality = curves.flatMap((curve) => {
    const points = curve.quality.map((point) => ({ ...point, seconds: seconds + point.seconds }));
    seconds += curve.seconds;
    return points;
  });
  return { seconds, quality, megabytes: Math.max(...curves.map(({ megabytes }) => megabytes)) };
}

function teacherRow(folder, teacher, set, seeds) {
  const runs = seeds.map((seed) => once(folder, `teacher-${seed}`, () => scoreModel(teacher, set, seed)));
  const of = (key) => runs.map((run) => run[key]);
  const percents = of('right').map((share) => 100 * share);
  const quality = [cell(of('precision'), 2), cell(of('recall'), 2), cell(of('diversity'), 2)].join(' | ');
  return `| teacher | | ${runs[0].calls} | ${cell(of('distance'), 1)} | | ${cell(percents, 1)} % | ${quality} | | |`;
}

function planOf(preset, changes) {
  return eventOf('plan', ['distill', '--preset', preset, '--plan', ...changes.flatMap((change) => ['--set', change])]);
}

/** A built-in model by its name, a file by its whole path. */
const teacherOf = (teacher) => [
  `teacher=${JSON.stringify(teacher.startsWith('builtin:') ? teacher : resolve(teacher))}`,
];

/** The teacher that the preset makes of Fashion-MNIST, made once. */
function taughtGarments(folder) {
  const out = join(folder, 'teacher');
  const [begun] = existsSync(out) ? readdirSync(out) : [];
  if (!begun) dmd(['teach', '--preset', 'fashion-mnist', '--out', out]);
  const run = join(out, readdirSync(out)[0]);
  if (!existsSync(join(run, 'teacher.safetensors'))) dmd(['teach', '--resume', run]);
  return join(run, 'teacher.safetensors');
}

function scoreModel(model, { features, reference }, seed) {
  const compared = ['--features', features, ...reference.flatMap((path) => ['--reference', path])];
  const pictures = ['--seed', String(100_000 * seed), '--count', String(count), '--threads', '1', '--device', 'cpu'];
  return eventOf('eval', ['eval', model, ...compared, ...pictures]);
}

function curvesOf(run, imagesPerUpdate) {
  const script = join(root, 'scripts/results/training-curves.mjs');
  const args = ['--import', sourceLoader, script, run, String(imagesPerUpdate)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 }));
}

/** Between the two measurements around it, as on a line. */
function distanceAt({ quality }, seconds) {
  const next = quality.findIndex((point) => point.seconds >= seconds);
  if (next <= 0) return quality.at(next).distance;
  const [a, b] = [quality[next - 1], quality[next]];
  return a.distance + ((b.distance - a.distance) * (seconds - a.seconds)) / (b.seconds - a.seconds);
}
