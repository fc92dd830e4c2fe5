/**
 * The monitor's page and its host. The page owns what is looked at (cursor, zoom, scales); the host owns which runs are
 * shown and passes the page's questions on to the backend. `forwarded` are the backend's own requests, asked by the page
 * about shown runs only.
 */
import { z } from '../config/zod.ts';
import { commandRun } from '../rpc/asks.ts';
import { bytes, nothing, notification, path, request, step } from '../rpc/define.ts';
import { decodeLatents } from '../rpc/inspect.ts';
import {
  compareConfigs,
  curveSchema,
  drawCurves,
  drawHistograms,
  fieldsSchema,
  liveEventSchema,
  openRun,
  readCaptions,
  readClock,
  readFieldRanges,
  readFields,
  readHealth,
  readSamples,
  readValues,
  resumeRun,
  runChanged,
  runRemoved,
} from '../rpc/runs.ts';
import { scoreTextsSchema } from './heatmap-texts.ts';
import type { MonitorTexts } from './monitor-texts.ts';

export {
  commandRun,
  compareConfigs,
  decodeLatents,
  drawCurves,
  drawHistograms,
  openRun,
  readCaptions,
  readClock,
  readFieldRanges,
  readFields,
  readHealth,
  readSamples,
  readValues,
  resumeRun,
  runChanged,
  runRemoved,
};

const inFolder = z.object({ folder: path });
const folders = z.array(path);

/** A step of a run that the person was led to: its tensors, kept because it was stopped there. */
const stoppedStep = z.object({ folder: path, step });

/** The page's first question: which runs it shows, and where it is to begin. From now on news of them come until the page is hidden. */
export const shownRuns = request(
  'monitor/runs',
  z.object({}),
  z.object({ folders, stopped: stoppedStep.nullable() }),
  null,
);
/** The person picks runs to show beside these. */
export const addRuns = request('monitor/add', z.object({}), nothing, null);
export const removeRun = request('monitor/remove', inFolder, nothing);
/** Asks where to, and writes there; false: the person changed their mind. */
export const saveCsv = request(
  'monitor/saveCsv',
  z.object({ folder: path, tags: z.array(z.string()) }),
  z.boolean(),
  null,
);
/** The person changes values of the config first; answers when the run goes on, or they changed their mind. */
export const resumeWithChanges = request('monitor/resumeWithChanges', inFolder, nothing, null);
export const savePng = request(
  'monitor/savePng',
  z.object({ name: z.string().max(200), png: bytes }),
  z.boolean(),
  null,
);
/**
 * Opens the score inspector on what is shown: an image of the samples, by where it is in the grid (0..1), or one of the probe at a
 * noise level.
 */
export const inspectShown = request(
  'monitor/inspect',
  z.object({
    folder: path,
    step,
    at: z.union([
      z.object({ x: z.number().min(0).max(1), y: z.number().min(0).max(1) }),
      z.object({ image: z.int().min(0), sigma: z.number().positive() }),
    ]),
  }),
  nothing,
);
export const openTensorBoard = request('monitor/tensorBoard', inFolder, nothing, null);
export const openConfig = request('monitor/config', inFolder, nothing);

/** Of which run the probe comes at every step; null: of none. */
export const followProbe = notification('monitor/probe', z.object({ folder: path.nullable() }));

/** The page is to show this step, and what stopped it. */
export const showStopped = notification('monitor/showStopped', stoppedStep);
/** Other runs are shown from now on. */
export const runsChanged = notification('monitor/runsChanged', z.object({ folders }));
/** The backend is a new one: what was asked is forgotten. */
export const startAgain = notification('monitor/again', z.object({}));

/** As the backend tells it, but numbers as curves: in JSON a NaN would not arrive. */
export const monitorEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('curves'), curves: z.array(curveSchema) }),
  liveEventSchema.options[1],
  z.object({ type: z.literal('probe'), fields: fieldsSchema }),
  liveEventSchema.options[3],
  liveEventSchema.options[4],
]);
export type MonitorEvent = z.infer<typeof monitorEventSchema>;
export const monitorLive = notification('monitor/live', z.object({ folder: path, event: monitorEventSchema }));

/** One side of a comparison: a run (null: the one in focus) and a step of it, the first that is recorded, or the cursor's. */
const sideSchema = z.object({
  folder: path.nullable(),
  step: z.union([z.enum(['cursor', 'first']), step]),
});

const picturesSchema = z.object({
  mode: z.enum(['cursor', 'compare', 'grid']),
  /** Percent of the width that the curves have beside the pictures. */
  split: z.number().min(0).max(100),
  /** What is compared. */
  what: z.enum(['samples', 'x', 'xt', 'muReal', 'muFake', 'difference', 'grad']),
  a: sideSchema,
  b: sideSchema,
});
export const firstPictures: z.infer<typeof picturesSchema> = {
  ...{ mode: 'cursor', split: 50, what: 'samples' },
  ...{ a: { folder: null, step: 'first' }, b: { folder: null, step: 'cursor' } },
};

/** What the page keeps for its next life, and what tells the host after a reload which runs were shown. */
export const monitorStateSchema = z.object({
  folders,
  /** Shown at the left and in pictures. */
  focus: z.string().nullable(),
  hidden: z.array(z.string()),
  cursor: z.object({ mode: z.enum(['live', 'free', 'pinned']), step: z.number() }),
  zoom: z.tuple([z.number(), z.number()]).nullable(),
  smoothing: z.number().min(0),
  /** What charts are drawn over; `zoom` is in its numbers. */
  axis: z.enum(['step', 'relative', 'clock']).default('step'),
  /** The table of runs. */
  table: z
    .object({
      open: z.boolean(),
      /** A column's name; null: as they were added. */
      sort: z.object({ by: z.string(), down: z.boolean() }).nullable(),
      filter: z.string(),
      pinned: z.array(z.string()),
      group: z.enum(['none', 'state', 'kind', 'tag']),
    })
    .default({ open: true, sort: null, filter: '', pinned: [], group: 'none' }),
  logCharts: z.array(z.string()),
  closedGroups: z.array(z.string()),
  hiddenSeries: z.array(z.string()),
  fields: z.object({
    kind: z.enum(['probe', 'training', 'stop']),
    image: z.int().min(0),
    channel: z.int().min(-1),
    /** Ends of the colour scales that the person fixed; null: from the data. */
    scales: z.object({ difference: z.number().positive().nullable(), grad: z.number().positive().nullable() }),
    perLevel: z.boolean(),
  }),
  pictures: picturesSchema.default(firstPictures),
});
export type MonitorState = z.infer<typeof monitorStateSchema>;

/** What the next monitor begins with, whatever its runs are. */
export const chartSettingsSchema = monitorStateSchema.pick({
  smoothing: true,
  axis: true,
  logCharts: true,
  closedGroups: true,
  hiddenSeries: true,
});
export type ChartSettings = z.infer<typeof chartSettingsSchema>;
export const keepCharts = notification('monitor/charts', chartSettingsSchema);

/** What the host writes into the page. */
export const monitorInitialSchema = z.object({
  texts: z.record(z.string(), z.string()).transform((all) => all as unknown as MonitorTexts),
  /** Of the pictures, shared with other panels. */
  scores: scoreTextsSchema,
  charts: chartSettingsSchema.nullable(),
});

/** All that the host needs of it. */
export const monitorFoldersSchema = monitorStateSchema.pick({ folders: true });
