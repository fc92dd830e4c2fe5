/**
 * What the methods of consistency distillation do alike with a config: look at it, try it, run it. Each brings what it needs of a teacher
 * and the steps of its path.
 */
import type { Engine } from '../../engine/engine.ts';
import { curveTags } from '../../health/tags.ts';
import type { Inputs, InputWork } from '../../models/input-file.ts';
import type { loadTeacher } from '../../models/teacher.ts';
import type { DistillConfig } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { alone } from '../../ranks/ranks.ts';
import type { Chunks } from '../../training/network-state.ts';
import { isDue, type SessionPlan } from '../../training/session.ts';
import type { TrainedNetwork } from '../../training/trained-network.ts';
import { type DescribedTeacher, described } from '../common/described.ts';
import { type DryRun, type Limits, randomTensor } from '../common/dry-run.ts';
import { type Finding, guarded } from '../common/finding.ts';
import { openTeacher } from '../common/open-teacher.ts';
import { openRealImages } from '../common/real-images.ts';
import type { RealConfig, RealImages } from '../common/real-source.ts';
import { matchingDryRun } from '../dmd/dry-run.ts';
import { dmdFindings } from '../dmd/findings.ts';
import type { DmdShape } from '../dmd/graphs.ts';
import { openSubject } from '../dmd/inspect/open.ts';
import { startMatching } from '../dmd/session.ts';
import type { InspectionSubject } from '../method.ts';
import { type ConsistencyShape, consistencyGraph } from './graphs.ts';
import { PathProbe } from './path-probe.ts';
import { ConsistencyProcedure } from './procedure.ts';
import type { ConsistencySettings } from './settings.ts';

export interface ConsistencyMethod {
  /** Its config as DMD's parts read it. */
  readonly own: DistillConfig;
  readonly real: RealConfig;
  /** Iterations between two readings of the probe; 0 none. */
  readonly probeEvery: number;
  settings(step: number): ConsistencySettings;
  /** Before the teacher is opened. Throws UserError('config') for one of another kind. */
  requireKind(): void;
  /** Holds a teacher against what the config asks of it. Throws UserError that names the key or the file. */
  open(teacher: DescribedTeacher): Promise<OpenedMethod>;
  /** The key that a refusal of `open` is about, where it does not begin with one. */
  keyOf(message: string): string;
}

export interface OpenedMethod {
  /** The files that it rests on beside the teacher's. */
  readonly inputs: Inputs;
  shapeOf(begun: DmdShape): ConsistencyShape;
}

/** What the trainer's numbers are recorded as. */
const tags = { lossConsistency: curveTags.lossConsistency };

/** `Method.plan`. */
export async function planConsistency(method: ConsistencyMethod, work: InputWork = {}): Promise<SessionPlan> {
  const { own } = method;
  method.requireKind();
  const teacher = await openTeacher(own, work);
  const opened = await method.open(teacher);
  const real = await openRealImages(method.real, teacher);
  return {
    fieldBytes: own.record.budgetMB * 1e6,
    inputs: async (hashing) => ({ ...teacher.inputs, ...opened.inputs, ...(await real.inputs(hashing)) }),
    dispose: () => real.close(),
    async start(context) {
      let images: RealImages | null = null;
      let probe: { readonly of: PathProbe; readonly generator: TrainedNetwork; readonly teacher: Chunks } | null = null;
      const { recorder, ranks = alone } = context;
      const closeAll = async () => (images ? images.dispose() : real.close());
      try {
        const session = await startMatching(
          own,
          teacher,
          context,
          async (engine, begun, { pairs: _, ...options }, conditions) => {
            const shape = opened.shapeOf(begun);
            images = await real.open(engine, conditions, own.batch);
            const settings = (step: number) => method.settings(step);
            const procedure = await ConsistencyProcedure.create(engine, {
              ...shape,
              ...options,
              real: images,
              settings,
            });
            if (method.probeEvery > 0 && ranks.rank === 0) {
              const [low, high] = method.settings(1).guidance;
              const of = new PathProbe(engine, shape, options.conditions, { guidance: (low + high) / 2 });
              probe = { of, generator: procedure.generator, teacher: procedure.teacher };
            }
            return { shape, procedure };
          },
          tags,
        );
        return {
          ...session,
          inspect: undefined,
          async record(step) {
            await session.record(step);
            if (!probe || !isDue(method.probeEvery, step, own.iterations)) return;
            recorder.add(step, { scalars: await probe.of.read(probe.generator.average(), probe.teacher) });
          },
          async dispose() {
            await probe?.of.dispose();
            await session.dispose();
            await closeAll();
          },
        };
      } catch (error) {
        await closeAll();
        throw error;
      }
    },
  };
}

/** `Method.dryRun`, with real images of no meaning. */
export async function dryRunConsistency(engine: Engine, method: ConsistencyMethod, limits: Limits): Promise<DryRun> {
  const { own } = method;
  method.requireKind();
  const teacher = await openTeacher(own);
  const opened = await method.open(teacher);
  await (await openRealImages(method.real, teacher)).close();
  return matchingDryRun<ConsistencyShape>(engine, own, limits, {
    shapeOf: (shape) => opened.shapeOf(shape),
    graphs: (shape) => [[consistencyGraph(shape), 1]],
    otherParameters: () => ({}),
    // The target, and what it will be.
    numbersBeside: (shape) => (shape.target ? 2 * shape.generator.layout.size : 0),
    create(shape, { pairs: _, ...options }) {
      const { conditions } = options;
      return ConsistencyProcedure.create(engine, {
        ...{ ...shape, ...options },
        real: {
          batch: async (_at, count) => ({
            x: randomTensor([count, ...shape.student.shape]),
            conditions: await conditions.feeds(conditions.inTurn(count)),
          }),
        },
        settings(step) {
          const settings = method.settings(step);
          return { ...settings, generator: { ...settings.generator, emaDecays: options.emas } };
        },
      });
    },
  });
}

/** `Method.findings`. @param openEdm opens a teacher of images */
export async function consistencyFindings(method: ConsistencyMethod, openEdm: typeof loadTeacher): Promise<Finding[]> {
  const named = (otherwise: (message: string) => string) => (message: string) =>
    /^([a-z][\w.]*):/.exec(message)?.[1] ?? otherwise(message);
  const found: Finding[] = [];
  await guarded(
    found,
    named(() => 'teacher'),
    async () => method.requireKind(),
  );
  if (found.length === 0) found.push(...(await dmdFindings(method.own, openEdm)));
  if (found.some(({ severity }) => severity === 'error')) return found;
  const teacher = await guarded(
    found,
    named(() => 'teacher'),
    () => described(method.own, openEdm),
  );
  if (!teacher) return found;
  await guarded(
    found,
    named((message) => method.keyOf(message)),
    () => method.open(teacher),
  );
  await guarded(
    found,
    named(() => 'data.source'),
    async () => (await openRealImages(method.real, teacher)).close(),
  );
  return found;
}

/**
 * `Method.inspection`: where samples are points of the plane, which are looked at beside the teacher's score. Throws UserError('usage') for
 * pictures, which have nothing of the student's to be compared with it.
 */
export async function inspectConsistency(
  name: string,
  { own, open }: ConsistencyMethod,
  engine: Engine,
  work: InputWork = {},
): Promise<InspectionSubject> {
  if (!own.mixture) {
    throw new UserError(
      'usage',
      `${name} has no scores to inspect`,
      'Look at its samples and its probe in the monitor.',
    );
  }
  const opened = await open(await openTeacher(own, work));
  const real: DistillConfig = { ...own, matching: { ...own.matching, enabled: true, realOnly: true } };
  return openSubject(real, engine, work, (shape) => ({ ...opened.shapeOf(shape), matching: shape.matching }));
}
