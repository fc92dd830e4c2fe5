/** An inspector of a run: of one that trains, beside its networks, or of what its config names and a checkpoint holds. */
import type { Engine } from '../../../engine/engine.ts';
import { roundToHalves } from '../../../graph/half.ts';
import { sizeOf } from '../../../graph/tensor-data.ts';
import type { OpenConditions } from '../../../models/conditions.ts';
import type { InputWork } from '../../../models/input-file.ts';
import type { TrainedPart } from '../../../models/trained-part.ts';
import type { DistillConfig } from '../../../protocol/config/index.ts';
import { UserError } from '../../../protocol/errors.ts';
import type { PlaneQuestion } from '../../../protocol/plane.ts';
import { type Chunks, disposeAll } from '../../../training/network-state.ts';
import { type StoredArrays, storedSlices } from '../../../weights/array-source.ts';
import { holdsTeacherAsHalf } from '../../common/latent-teacher.ts';
import { openTeacher } from '../../common/open-teacher.ts';
import { decodeGraph } from '../../common/preview.ts';
import { readPrompts } from '../../common/prompts.ts';
import type { DistillTeacher } from '../../common/teacher.ts';
import type { InspectionSubject, SubjectState } from '../../method.ts';
import type { DmdShape } from '../graphs.ts';
import { Plane } from '../plane.ts';
import { uploadTeacher } from '../procedure.ts';
import { shapeOf } from '../shape.ts';
import { ScoreInspector } from './inspector.ts';
import { type LatentDecoder, openLatentDecoder } from './latent-decoder.ts';

/** What the inspector of a run is made of. */
export function inspectorFor(
  engine: Engine,
  config: DistillConfig,
  teacher: DistillTeacher,
  { shape, conditions }: { readonly shape: DmdShape; readonly conditions: OpenConditions },
): Promise<ScoreInspector> {
  const { seed, record } = config;
  const recorded = { seed, samples: record.samplesEvery > 0 ? record.samples : 0, probe: probeOf(config) };
  return ScoreInspector.create(engine, {
    ...{ shape, conditions, recorded, classes: classesOf(shape) },
    prompts: () => readPrompts(config).prompts,
    openDecoder: () => decodeGraph(teacher, 1),
  });
}

const probeOf = ({ record: { probe } }: DistillConfig) => ({ seed: probe.seed, count: probe.count });

/** Null for a network of prompts. */
function classesOf({ student: { conditions } }: DmdShape): number | null {
  return conditions.context ? null : (conditions.labels?.[0] ?? 0);
}

/** As many prompts are named. */
const mostPrompts = 200;

/** Opens what a config names. Throws UserError, also where there are no scores to inspect. @param changed the shape of another method */
export async function openSubject(
  config: DistillConfig,
  engine: Engine,
  work: InputWork = {},
  changed: (shape: DmdShape) => DmdShape = (shape) => shape,
): Promise<InspectionSubject> {
  if (!config.matching.enabled) {
    const hint = 'Inspect a run with matching.enabled, which it is unless switched off.';
    throw new UserError('usage', 'this run was trained without distribution matching: it has no scores', hint);
  }
  const teacher = await openTeacher(config, work);
  const half = await holdsTeacherAsHalf(teacher, engine);
  const shape = changed(shapeOf(config, teacher, null, half));
  const { levels } = shape.teacher;
  let opened: Promise<{ inspector: ScoreInspector; conditions: OpenConditions; frozen: Chunks }> | undefined;
  const open = async () => {
    const weights = await teacher.readWeights();
    if (half) for (const { data } of weights.values()) roundToHalves(data);
    const conditions = await teacher.openConditions(engine, null);
    const frozen = uploadTeacher(engine, { ...shape, teacherWeights: weights });
    return { conditions, frozen, inspector: await inspectorFor(engine, config, teacher, { shape, conditions }) };
  };
  let decoder: Promise<LatentDecoder> | undefined;
  const of = (name: string | null) =>
    Float64Array.from({ length: levels.count }, (_, i) => (name === null ? 1 : levels.numbers[name]!(i)));
  const classes = classesOf(shape);
  const plane = teacher.plane && new Plane(engine, shape, teacher.plane.mixture);
  return {
    ...(plane
      ? {
          plane: (state: SubjectState, question: PlaneQuestion, step: number) => {
            const { generator, fake } = state as State;
            return plane.read(step, question, { generator, fake, teacher: [] });
          },
        }
      : {}),
    description: {
      shape: [...shape.student.shape],
      latent: classes === null,
      levels: {
        ...{ sigma: of(levels.roles.sigma), alpha: of(levels.roles.alpha) },
        timesteps: levels.roles.t !== levels.roles.sigma,
      },
      range: [config.matching.minStep, config.matching.maxStep],
      classes,
      prompts: classes === null ? readPrompts(config).prompts.slice(0, mostPrompts) : [],
      ...{ samples: config.record.samplesEvery > 0 ? config.record.samples : 0, probe: config.record.probe.count },
      probeLevels: config.record.probe.levels,
      ...{ weight: config.matching.weight, guidance: shape.guidance },
    },
    async restore(files) {
      const state: { generator: Chunks; fake: Chunks } = { generator: [], fake: [] };
      try {
        state.generator = await read(engine, 'generator', shape.generator, files.get('generator'));
        // Where it is not trained there is none, and none is looked at.
        const trains = config.matching.realOnly ? undefined : files.get('fake');
        state.fake = config.matching.realOnly ? [] : await read(engine, 'fake', shape.fake, trains);
      } catch (error) {
        disposeAll([...state.generator, ...state.fake]);
        throw error;
      }
      return { ...state, dispose: () => disposeAll([...state.generator, ...state.fake]) };
    },
    async inspect(state, query, how) {
      opened ??= open();
      opened.catch(() => {
        opened = undefined;
      });
      const { inspector, frozen } = await opened;
      const { generator, fake } = state as State;
      return inspector.inspect({ generator, fake, teacher: frozen }, query, how);
    },
    async decode(latents, signal) {
      decoder ??= openLatentDecoder(engine, teacher);
      decoder.catch(() => {
        decoder = undefined;
      });
      return (await decoder).decode(latents, signal);
    },
    async dispose() {
      await plane?.dispose();
      await (await decoder?.catch(() => undefined))?.dispose();
      const all = await opened?.catch(() => undefined);
      await all?.inspector.dispose();
      await all?.conditions.dispose();
      disposeAll(all?.frozen ?? []);
    },
  };
}

type State = SubjectState & { readonly generator: Chunks; readonly fake: Chunks };

/** A network's parameters out of a checkpoint. */
async function read(
  engine: Engine,
  name: string,
  { layout }: TrainedPart,
  stored: StoredArrays | undefined,
): Promise<Chunks> {
  const shape = stored?.shape('parameters');
  if (!stored || !shape || sizeOf(shape) !== layout.size) {
    const found = shape ? `has ${sizeOf(shape)} parameters instead of ${layout.size}` : 'is missing';
    const hint =
      "Both scores need the checkpoint's generator and fake score, of the config that the run was begun with.";
    throw new UserError('data', `the checkpoint's ${name}.safetensors ${found}`, hint);
  }
  const chunks: Chunks[number][] = [];
  try {
    for (const { start, size } of layout.chunks) {
      chunks.push(await engine.receive([size], storedSlices(stored, 'parameters', start, start + size)));
    }
  } catch (error) {
    disposeAll(chunks);
    throw error;
  }
  return chunks;
}
