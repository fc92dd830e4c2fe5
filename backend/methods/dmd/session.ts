/** Distribution Matching Distillation as a run: what it opens, what is recorded of it, and the generator it ends with. */
import path from 'node:path';
import type { Engine } from '../../engine/engine.ts';
import { roundToHalves } from '../../graph/half.ts';
import { packParameters } from '../../graph/parameters.ts';
import type { ConditionSource, OpenConditions } from '../../models/conditions.ts';
import type { DiffusionModel } from '../../models/diffusion-model.ts';
import type { InputWork } from '../../models/input-file.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { stream } from '../../random/stream.ts';
import { alone } from '../../ranks/ranks.ts';
import type { Draws } from '../../training/draws.ts';
import { emasOf } from '../../training/schedule.ts';
import {
  histogramsOf,
  isDue,
  type SessionContext,
  type SessionPlan,
  type TrainingSession,
} from '../../training/session.ts';
import { Trainer } from '../../training/trainer.ts';
import { holdsTeacherAsHalf } from '../common/latent-teacher.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { pairInputs } from '../common/pair-inputs.ts';
import { openReferencePairs } from '../common/pairs.ts';
import { GeneratorPictures } from '../common/pictures.ts';
import { decodeGraph, openPreview } from '../common/preview.ts';
import { callsOfStudent, type DistillTeacher } from '../common/teacher.ts';
import { compileSampler, type DmdShape } from './graphs.ts';
import type { ScoreInspector } from './inspect/inspector.ts';
import { inspectorFor } from './inspect/open.ts';
import { Plane } from './plane.ts';
import { Probe } from './probe.ts';
import { DmdProcedure, type MatchingOptions, type MatchingProcedure } from './procedure.ts';
import { RecordedProbe } from './recorded-probe.ts';
import { distillSettings } from './settings.ts';
import { requirePrecision, shapeOf } from './shape.ts';
import { recordedScalars } from './tags.ts';
import { teacherSamples } from './vitals/teacher-samples.ts';
import { Vitals } from './vitals/vitals.ts';

/**
 * Loads and checks everything the config names. Throws UserError; nothing is written.
 * @param drawn what an iteration draws, for a method that draws otherwise
 */
export async function planDmd(
  config: DistillConfig,
  work: InputWork = {},
  drawn?: (model: DiffusionModel, conditions: ConditionSource) => Draws,
): Promise<SessionPlan> {
  const teacher = await openTeacher(config, work);
  const { enabled, pairs } = config.regression;
  const found = enabled && pairs.path !== undefined ? await teacher.pairs.open(pairs.path) : null;
  return {
    // Fields and probe share the budget evenly.
    fieldBytes: (config.record.budgetMB * 1e6) / 2,
    probes: config.matching.enabled,
    inputs: async () => ({ ...teacher.inputs, ...(await pairInputs(config, found?.set)) }),
    start: (context) =>
      startMatching(config, teacher, context, async (engine, shape, options) => ({
        shape,
        procedure: await DmdProcedure.create(engine, {
          ...{ ...shape, ...options, settings: distillSettings(config) },
          fakeUpdates: config.fake.updatesPerStep,
          ...(drawn ? { draws: drawn(shape.student, options.conditions) } : {}),
        }),
      })),
  };
}

/** A procedure on networks that start as the teacher; the shape is what is looked at, with distribution matching or without. */
type MakeProcedure = (
  engine: Engine,
  shape: DmdShape,
  options: MatchingOptions,
  conditions: OpenConditions,
) => Promise<{ readonly procedure: MatchingProcedure; readonly shape: DmdShape }>;

/**
 * Trains by a procedure with a matching gradient, DMD's own or another method's, and records of it what is recorded of either.
 * @param tags of numbers that DMD has not: what they are recorded as
 */
export async function startMatching(
  config: DistillConfig,
  teacher: DistillTeacher,
  context: SessionContext,
  make: MakeProcedure,
  tags: Readonly<Record<string, string>> = {},
): Promise<TrainingSession> {
  const { engine, report, recorder, folder, signal, ranks = alone } = context;
  const { seed, regression, accumulation, record, iterations } = config;
  const work = (label: string) => (done: number, total: number) =>
    report({ type: 'work', label, done, total, unit: label });
  const leads = ranks.rank === 0;
  const keeping = leads ? { folder, signal, onProgress: work('prompts') } : null;
  const conditions = await teacher.openConditions(engine, keeping);
  const pairs = regression.enabled ? await pairsOf() : null;
  for (const text of teacher.notes) report({ type: 'note', level: 'info', text });
  report({ type: 'note', level: 'info', text: 'compiling the training step' });
  const half = await holdsTeacherAsHalf(teacher, engine);
  if (teacher.wantsHalf && !half) {
    const text = `${engine.device} cannot hold float16: the teacher stays in float32`;
    report({ type: 'note', level: 'warning', text });
  }
  await requirePrecision(config, engine);
  const begun = shapeOf(config, teacher, regression.enabled ? await teacher.distance() : null, half);
  const { procedure, shape } = await make(
    engine,
    begun,
    {
      ...{ seed, accumulation, ranks, pairs, conditions: conditions.source, emas: emasOf(config.generator.ema) },
      ...(await whereItStarts(teacher, begun, seed)),
    },
    conditions,
  );
  const trainer = new Trainer(engine, procedure, (step) => isDue(record.histogramsEvery, step, iterations));
  const probe =
    shape.matching && leads
      ? new RecordedProbe(config, () => Probe.create(engine, shape, conditions.source, record.probe))
      : null;
  if (record.probeEvery > 0) await probe?.compile();
  const plane = teacher.plane && new Plane(engine, shape, teacher.plane.mixture);
  const vitals =
    record.healthEvery > 0 && leads
      ? new Vitals(engine, shape, procedure, trainer, {
          ...{
            seed,
            accumulation: accumulation * ranks.size,
            every: record.healthEvery,
            conditions: conditions.source,
          },
          teacherSamples: () => teacherSamples(engine, teacher, { pairs, conditions: conditions.source, seed, signal }),
        })
      : null;
  const measures = record.quality.every > 0 && leads && !teacher.plane;
  const pictures = !measures
    ? undefined
    : await GeneratorPictures.create({
        ...{ engine, teacher, generator: procedure.generator, frozen: procedure.teacher, seed },
        generate: (count, name) => compileSampler(engine, shape, count, name),
        conditions: conditions.source,
      });
  const preview = record.samplesEvery > 0 && leads ? await previewOf() : null;
  const { generator, fake, teacher: frozen } = procedure;
  const parameters = () => ({ generator: generator.parameters, fake: fake?.parameters ?? [], teacher: frozen });
  let inspector: Promise<ScoreInspector> | undefined;
  return {
    trainer,
    pictures,
    readProbe: probe ? (step) => probe.live(step, parameters()) : undefined,
    readPlane: plane && ((step, asked) => plane.read(step, asked, parameters())),
    async inspect(query, how) {
      if (!shape.matching) {
        const hint = 'Inspect a run with matching.enabled, which it is unless switched off.';
        throw new UserError('usage', 'this run trains without distribution matching: it has no scores', hint);
      }
      inspector ??= inspectorFor(engine, config, teacher, { shape, conditions });
      inspector.catch(() => {
        inspector = undefined; // the next one tries again
      });
      return (await inspector).inspect(parameters(), query, { ...how, step: trainer.step });
    },
    scalars: ({ scalars }) => recordedScalars(scalars, tags),
    async record(step) {
      await vitals?.record(recorder, step);
      if (preview && isDue(record.samplesEvery, step, iterations)) {
        const images = await preview.images(generator.average(), frozen);
        recorder.samples(step, teacher.plane?.plot(images) ?? images);
      }
      if (probe && isDue(record.probeEvery, step, iterations)) await probe.record(recorder, step, parameters());
      if (isDue(record.histogramsEvery, step, iterations)) {
        const { grad } = trainer.tensors;
        const histograms = await histogramsOf(trainer);
        if (grad) histograms['field/grad'] = await grad.read();
        recorder.add(step, { histograms });
      }
      if (step > 0 && isDue(record.fieldsEvery, step, iterations)) {
        recorder.fields(step, 'training', await trainer.fields(), { ...teacher.metadata });
      }
    },
    async writeWeights(to, inHalves) {
      const written: string[] = [];
      for (const [i, decay] of (generator.emas.length > 0 ? generator.emas : [undefined]).entries()) {
        const name = i === 0 ? 'generator' : `generator-ema-${decay}`;
        written.push(
          await teacher.writeStudent(
            to,
            name,
            await procedure.generatorWeights(decay),
            trainer.step,
            inHalves,
            callsOfStudent(procedure.studentAfter?.(trainer.step) ?? shape.student),
          ),
        );
      }
      return written;
    },
    async dispose() {
      await vitals?.dispose();
      await probe?.dispose();
      await plane?.dispose();
      await (await inspector?.catch(() => undefined))?.dispose();
      await pictures?.dispose();
      await preview?.dispose();
      await trainer.dispose();
      await conditions.dispose();
    },
  };

  async function previewOf() {
    const decode = await decodeGraph(teacher, record.samples);
    const generate = await compileSampler(engine, shape, record.samples, 'samples');
    return openPreview(engine, { generate, decode }, conditions.source, seed);
  }

  async function pairsOf() {
    const options = { engine, onProgress: work('pairs'), signal, ranks };
    const made = await openReferencePairs(config, path.join(folder, 'pairs'), teacher, conditions, options);
    if (made.warning) report({ type: 'note', level: 'warning', text: made.warning });
    return made.pairs;
  }
}

/** The teacher's weights, and what training starts from: apart, since whatever a session's functions see stays in memory as long as it. */
async function whereItStarts(
  teacher: DistillTeacher,
  shape: DmdShape,
  seed: number,
): Promise<Pick<MatchingOptions, 'teacherWeights' | 'start'>> {
  const teacherWeights = await teacher.readWeights();
  if (shape.halfTeacher) for (const { data } of teacherWeights.values()) roundToHalves(data);
  const first = await teacher.initial?.readWeights();
  const flat = (part: 'generator' | 'fake') => shape[part].start(teacherWeights, stream(seed, 'adapters', part));
  const generator = first ? packParameters(shape.generator.layout, first) : flat('generator');
  return { teacherWeights, start: { generator, fake: flat('fake') } };
}
