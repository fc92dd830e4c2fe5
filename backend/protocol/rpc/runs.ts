/** Run folders as the editor sees them: the list, one run's history and fields, and what happens in a run right now. */
import { configKinds } from '../config/common.ts';
import { z } from '../config/zod.ts';
import { bytes, configText, float32, float64, measured, nothing, notification, path, request, step } from './define.ts';

/** As in run.json, and what only an onlooker can say: its process is gone, or run.json is unreadable. */
export const shownStates = [
  'queued',
  'running',
  'paused',
  'stopping',
  'stopped',
  'finished',
  'failed',
  'interrupted',
  'damaged',
] as const;
export type ShownState = (typeof shownStates)[number];

/** Work with a count, such as making pairs before the first iteration. */
export const workSchema = z.object({
  label: z.string(),
  done: z.number(),
  total: z.number(),
  unit: z.string(),
});

export const runRecordSchema = z.object({
  folder: path,
  /** The person's name for it, else the folder's. */
  name: z.string(),
  tags: z.array(z.string()),
  kind: z.enum(configKinds).nullable(),
  state: z.enum(shownStates),
  step,
  iterations: step,
  /** '' where unknown. */
  device: z.string(),
  threads: z.number(),
  /** Processes that train it together. */
  ranks: z.number(),
  /** ISO 8601. */
  createdAt: z.string().nullable(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  updatedAt: z.string().nullable(),
  /** From the pace of the last half minute; null while that is unknown. */
  secondsLeft: z.number().nullable(),
  /** What it does before or between iterations. */
  work: workSchema.nullable(),
  /** The process that works there; `reachable`: it takes commands. */
  process: z.object({ pid: z.number(), reachable: z.boolean() }).nullable(),
  /** Why it failed or is damaged; `stop`: the step that was not committed, since numbers became NaN, and whose tensors are kept. */
  error: z.object({ message: z.string(), hint: z.string(), stop: step.optional() }).nullable(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

export const fieldKindSchema = z.enum(['training', 'probe', 'stop']);
export type FieldKindName = z.infer<typeof fieldKindSchema>;

export const tensorSchema = z
  .object({ name: z.string(), shape: z.array(z.int().min(0)), data: float32 })
  .refine(({ shape, data }) => shape.reduce((size, length) => size * length, 1) === data.length, {
    message: 'as many numbers as its shape says',
  });
export type FieldTensor = z.infer<typeof tensorSchema>;

export const fieldsSchema = z.object({
  kind: fieldKindSchema,
  step,
  /** Probe: x [N, C, H, W]; xt, muReal, muFake, grad [L, N, C, H, W]; sigma [L]; cosine and residualRatio [L, N]. */
  tensors: z.array(tensorSchema),
  metadata: z.record(z.string(), z.string()),
});
export type Fields = z.infer<typeof fieldsSchema>;

const rangeSchema = z.object({
  /** The greatest size of a finite number. */
  max: z.number().min(0),
  /** What 99.5 % of the sizes do not exceed. */
  quantile: z.number().min(0),
});
const levelRangesSchema = rangeSchema.extend({
  /** Of each noise level of the probe; [] of a batch. */
  levels: z.array(rangeSchema),
});

/** How far the signed fields of a step go from zero: of mu_real - mu_fake and of grad; null where there is none. */
export const fieldRangesSchema = z.object({
  difference: levelRangesSchema.nullable(),
  grad: levelRangesSchema.nullable(),
});
export type FieldRanges = z.infer<typeof fieldRangesSchema>;
export const stepRangesSchema = fieldRangesSchema.extend({ step });
export type StepRanges = z.infer<typeof stepRangesSchema>;

export const curveSchema = z.object({
  /** As recorded, e.g. loss/matching. */
  tag: z.string(),
  /** Ascending, as long as `values` (which hold NaN and infinities as they were) and `times` (seconds since 1970). */
  steps: float64,
  values: float64,
  times: float64,
});
export type Curve = z.infer<typeof curveSchema>;

export const runOverviewSchema = z.object({
  record: runRecordSchema,
  /** The resolved config, JSON. */
  config: z.string(),
  /** Tags that have curves, sorted. */
  tags: z.array(z.string()),
  /** Tags that have histograms, sorted. */
  histograms: z.array(z.string()),
  /** Steps with a grid of samples, and with recorded fields, ascending. */
  samples: z.array(step),
  /** Steps that the run can be resumed from, ascending. */
  checkpoints: z.array(step),
  fields: z.object({ training: z.array(step), probe: z.array(step), stop: z.array(step) }),
  /** Damaged files and the like, in words. */
  warnings: z.array(z.string()),
});
export type RunOverview = z.infer<typeof runOverviewSchema>;

const inFolder = z.object({ folder: path });

/** What a rule says of a run's recorded numbers (backend/health/). */
export const verdictSchema = z.object({
  rule: z.string(),
  /** What it looks for, in a few words. */
  title: z.string(),
  severity: z.enum(['warning', 'alarm']),
  step,
  statement: z.string(),
  advice: z.string(),
});
export type RunVerdict = z.infer<typeof verdictSchema>;

export const healthSchema = z.object({
  /** Of the last number that was recorded. */
  step,
  /** The gravest first; [] nothing is wrong by what is recorded. */
  verdicts: z.array(verdictSchema),
  /** What cannot be judged, since nothing of it is recorded: titles of rules. */
  unjudged: z.array(z.string()),
});
export type RunHealth = z.infer<typeof healthSchema>;

/** The runs in these folders (each holds run folders), the newest first; from now on changes are told. */
export const watchRuns = request('runs/watch', z.object({ roots: z.array(path) }), z.array(runRecordSchema));

/** How fast a run goes, and how far before it pauses. */
export const paceSchema = z.object({
  /** Iterations a second at most; null: as many as it can. */
  perSecond: z.number().min(0.01).max(1e6).nullable(),
  /** It pauses after so many iterations, 0 at once; null: it does not. */
  iterations: z.int().min(0).max(1e9).nullable(),
});
export type Pace = z.infer<typeof paceSchema>;

/** Starts a run in a process of its own, which outlives this one; answers when the run folder is there. */
export const startRun = request(
  'runs/start',
  z.object({
    /** A config's text with the file it is (or would be) in, which relative paths are taken from. */
    text: configText,
    file: path,
    /** Folder in which the run folder is made, unless the config says `out`. */
    root: path,
    /** `key.of.it=value`. */
    set: z.array(z.string()),
    /** Waits for a debugger before the first iteration. */
    debug: z.boolean().optional(),
    /** From the first iteration on. */
    pace: paceSchema.optional(),
  }),
  inFolder,
  120,
);

/** Goes on with a run that stopped, failed or was interrupted, from its latest sound checkpoint. */
export const resumeRun = request(
  'runs/resume',
  z.object({ folder: path, set: z.array(z.string()), debug: z.boolean().optional() }),
  nothing,
  120,
);

export const annotationsSchema = z.object({
  name: z.string().max(200),
  tags: z.array(z.string().max(60)).max(50),
});

/** The person's own name and tags; kept in the run folder beside what the run writes. `name: ''` is the folder's name. */
export const annotateRun = request('runs/annotate', inFolder.extend(annotationsSchema.partial().shape), nothing);

/** This and what follows read the history first, which takes as long as the disk does. */
export const openRun = request('runs/open', inFolder, runOverviewSchema, null);

/** Ascending steps, and as many values, which hold NaN and infinities as they were. */
export const pointsSchema = z.object({ steps: float64, values: float64 });
export type Points = z.infer<typeof pointsSchema>;

export const drawnCurveSchema = z.object({
  tag: z.string(),
  /** All that is recorded is in `raw`. */
  whole: z.boolean(),
  /** Recorded points; of many, those that a picture of the steps asked for shows. */
  raw: pointsSchema,
  /** Their running mean over everything recorded, thinned by itself; and where it stands after the last step of all. */
  smooth: pointsSchema
    .extend({ mean: z.object({ sum: z.number(), weight: z.number(), lastStep: z.number() }) })
    .nullable(),
});
export type DrawnCurve = z.infer<typeof drawnCurveSchema>;

/** Curves as a picture shows them: a few points per stretch of steps, one more at either side of the range. */
export const drawCurves = request(
  'runs/drawn',
  z.object({
    folder: path,
    tags: z.array(z.string()),
    /** null: all steps. */
    range: z.tuple([z.number(), z.number()]).nullable(),
    stretches: z.int().min(1).max(10_000),
    /** Reach of the running mean, in steps; 0: none. */
    smoothing: z.number().min(0),
  }),
  z.array(drawnCurveSchema),
  null,
);

/** A number each for some tags, and of which step it is. */
export const tagValuesSchema = z.object({ tags: z.array(z.string()), steps: float64, values: float64 });
export type TagValues = z.infer<typeof tagValuesSchema>;

export const runClockSchema = z.object({
  /** Which steps were measured, of the curve with the most: [first, distance, how many] for every stretch of equal distances. */
  strides: float64,
  /** When (seconds since 1970); between two of them, in proportion. */
  times: z.object({ steps: float64, seconds: float64 }),
  /** The last point of every curve. */
  last: tagValuesSchema,
});
export type RunClock = z.infer<typeof runClockSchema>;
export const readClock = request('runs/clock', z.object({ folder: path }), runClockSchema, null);

/** What was recorded under some tags at one step, or, where nothing was, last before it. */
export const readValues = request(
  'runs/values',
  z.object({ folder: path, tags: z.array(z.string()), step }),
  tagValuesSchema,
  null,
);

export const drawnHistogramsSchema = z.object({
  tag: z.string(),
  /** Ascending; of many, some. */
  steps: float64,
  /** So many bins of equal width between `low` and `high`, the same at every step; what lies outside is in the outermost. */
  bins: z.int().min(1),
  low: z.number(),
  high: z.number(),
  /** [steps, bins] */
  counts: float32,
  /** Of what was recorded, per step. */
  least: float64,
  mean: float64,
  greatest: float64,
});
export type DrawnHistograms = z.infer<typeof drawnHistogramsSchema>;
export const drawHistograms = request(
  'runs/histograms',
  z.object({ folder: path, tag: z.string() }),
  drawnHistogramsSchema,
  null,
);

export const readHealth = request('runs/health', inFolder, healthSchema, null);
/** The grid of samples recorded at a step, PNG. */
export const readSamples = request('runs/samples', z.object({ folder: path, step }), z.object({ step, png: bytes }));
export const readFields = request('runs/fields', z.object({ folder: path, kind: fieldKindSchema, step }), fieldsSchema);
/** The ranges of every recorded step from one on, ascending: what one scale for all of them is made of. */
export const readFieldRanges = request(
  'runs/fieldRanges',
  z.object({ folder: path, kind: fieldKindSchema, from: step }),
  z.array(stepRangesSchema),
  120,
);
export const captionsSchema = z.object({
  /** Of the run: the noise of its samples is drawn from it. */
  seed: z.number(),
  /** Steps with a checkpoint, ascending. */
  checkpoints: z.array(step),
  /** Samples are latents, which a decoder makes pictures of. */
  latent: z.boolean(),
  /** Samples in a grid; 0 where none are recorded, or of a run that teaches. */
  count: z.int().min(0),
  /** What each is of, a prompt or the name of a class; [] where that is not known. */
  samples: z.array(z.string()),
  probe: z.array(z.string()),
});
export type Captions = z.infer<typeof captionsSchema>;
/** What recorded images are of, and what they come from. */
export const readCaptions = request('runs/captions', inFolder, captionsSchema);
/** One line per step, one column per tag, NaN as `NaN`; UTF-8. */
export const exportCsv = request('runs/csv', z.object({ folder: path, tags: z.array(z.string()) }), bytes, 120);
/** The config keys in which runs differ; a value is JSON, null where a run does not have the key. */
export const compareConfigs = request(
  'runs/compare',
  z.object({ folders: z.array(path).min(1) }),
  z.array(z.object({ key: z.string(), values: z.array(z.string().nullable()) })),
);
/** The shell command that does the same in a terminal. */
export const commandLine = request('runs/commandLine', inFolder, z.string());

/** What somebody who watches a run wants to be told of; how the run stands is told in any case. */
export const interestsSchema = z.object({
  /** What every step measured. */
  steps: z.boolean(),
  /** That samples or fields of a step can be read. */
  records: z.boolean(),
  /** The probe after every step, which costs the run time. */
  probe: z.boolean(),
  /** Words for a person. */
  notes: z.boolean(),
});
export type Interests = z.infer<typeof interestsSchema>;

const followerId = z.string().min(1).max(100);

/**
 * From now on `runs/live` tells what happens in a run under the id, which is the asker's choice: each id is a follower with wishes
 * of its own. Asked again under the same id, the wishes are these from then on, and nothing in between is missed or told twice. What was
 * recorded before the first answer is not told: read the curves after it, and nothing is missed.
 */
export const followRun = request(
  'runs/follow',
  z.object({ id: followerId, folder: path, wants: interestsSchema }),
  nothing,
  null,
);
export const unfollowRun = request('runs/unfollow', z.object({ id: followerId }), nothing);

export const runChanged = notification('runs/changed', runRecordSchema);
export const runRemoved = notification('runs/removed', inFolder);

export const liveEventSchema = z.discriminatedUnion('type', [
  /** What the last steps measured, oldest first; sent at most every 50 ms. */
  z.object({
    type: z.literal('scalars'),
    points: z.array(z.object({ step, time: z.number(), scalars: z.record(z.string(), measured) })),
  }),
  /** A step was recorded and can be read; `dropped`: steps given up for it. */
  z.object({
    type: z.literal('recorded'),
    kind: z.enum(['samples', 'training', 'probe', 'stop', 'checkpoint']),
    step,
    dropped: z.array(step),
  }),
  /** The probe after a step, recorded or not. */
  z.object({ type: z.literal('probe'), fields: fieldsSchema }),
  /** The run went back: forget everything from this step on. */
  z.object({ type: z.literal('restart'), step }),
  z.object({ type: z.literal('note'), level: z.enum(['info', 'warning']), text: z.string() }),
]);
export type LiveEvent = z.infer<typeof liveEventSchema>;

export const runLive = notification('runs/live', z.object({ id: followerId, event: liveEventSchema }));
