/**
 * What a debugger asks of a run (run-requests.ts has the frame of it). One debugger at a time: who attaches makes up a `session`, a
 * word of its own that every further request carries; others are refused while it lasts. All of them are answered at once, at a stop or
 * not, except where it says otherwise; nothing here ever leaves a run hanging.
 *
 * The order of a session:
 *   debug/attach                         -> how the run stands, its listing, its rules
 *   debug/hold                           stays open as long as the session. When its asker cancels or its line is lost, the session
 *                                        ends: everything it set is taken back, a stopped run goes on. A session that nobody holds
 *                                        within ten seconds of `debug/attach` ends too. Ask it over a line that lives as long as it.
 *   debug/events {after}                 again and again, for what happens: stopped, continued, log, ...
 *   debug/breakpoints, debug/go, ...     at will
 *   debug/detach                         ends the session; `debug/hold` is then answered
 *
 * A stop is always after a stage and before the next one: the stage's line has run, its tensors exist, and nothing of the iteration is
 * committed, the stage `commit` included (its stop comes before the swap). Docs: docs/debugger.md, "What a stop is".
 *
 * From the editor: rpc `runs/debug` (rpc/asks.ts) carries any of these to the run in a folder, a session on a line of its own;
 * `config/listing` gives the listing of a config before there is a run; `runs/start` and `runs/resume` with `debug: true` make the run
 * wait for a debugger before its first iteration (for at most a minute, then it says so and goes on).
 *
 * Tensors are named as they are in the iteration (`grad`, `generator.parameters`); `#3` is a result of `debug/evaluate`, valid until the
 * stop ends; `@1234` is a value inside a network (`debug/inside`), read only, valid until the stop ends.
 */
import { z } from './config/zod.ts';
import { bytes, measured, nothing, request, step } from './rpc/define.ts';
import { tensorSchema } from './rpc/runs.ts';

const session = z.string().min(8).max(64);
const own = z.object({ session });
const name = z.string().min(1).max(200);
const text = z.string().max(4000);
const count = z.int().min(0);
/** Indices along the first axes: [2, 0] of x [N, C, H, W] is the first channel of the third sample. */
const path = z.array(count).max(8);

/** Bytes that one `debug/read` answers, and that one `debug/write` takes (a request is at most 64 KiB). */
export const mostReadBytes = 2 ** 20;
export const mostWriteBytes = 2 ** 15;
/** Children on one page. */
export const mostChildren = 1000;

/** A line of the listing: what it says, and the stage that is done when it has run; null for a line that does nothing by itself. */
export const listingLineSchema = z.object({ text: z.string(), stage: z.string().nullable() });
/** The algorithm as a run of this config does it; a pure function of the config, so that it can be shown before a run. */
export const listingSchema = z.array(listingLineSchema);
export type Listing = z.infer<typeof listingSchema>;

/** Counted over all of its numbers; mean, std, norm, min and max over the finite ones (NaN, and a norm of 0, where there are none). */
export const statisticsSchema = z.object({
  min: measured,
  mean: measured,
  max: measured,
  /** Of the numbers themselves: divided by how many there are. */
  std: measured,
  /** sqrt of the sum of squares. */
  norm: measured,
  nan: count,
  positiveInfinity: count,
  negativeInfinity: count,
  zero: count,
});
export type Statistics = z.infer<typeof statisticsSchema>;

/** A tensor in one line. */
export const tensorLineSchema = z.object({
  /** What it is asked for by: as `tensor` in the requests below. */
  name: z.string(),
  shape: z.array(count),
  type: z.enum(['float32', 'float16']),
  /** Bytes of it as `debug/read` has them: float32, little-endian, row-major. */
  bytes: count,
  /** Null where it was left out because the tensor is large: ask `debug/statistics`. */
  statistics: statisticsSchema.nullable(),
  /** `debug/write` and `debug/assign` take it. */
  writable: z.boolean(),
});
export type TensorLine = z.infer<typeof tensorLineSchema>;

/** A rule that `exceptions` can name: DAP's exception breakpoint filter. */
export const ruleSchema = z.object({
  /** `numeric`, `loss spike`, ... */
  rule: z.string(),
  label: z.string(),
  description: z.string(),
  /** Whether it is sensible to have it on from the start. */
  default: z.boolean(),
});

/** Where an iteration stands. */
export const placeSchema = z.object({
  /** The iteration under way, 1 for the first. At an entry: the one to come. */
  step,
  /** The micro-batch, from 0. The fake score's updates count their own. */
  micro: count,
  /** The stage just done; null before the first one of an iteration. */
  stage: z.string().nullable(),
  /** Stages of this iteration done before it, over all micro-batches: names a place in it. */
  ordinal: count,
});
export type Place = z.infer<typeof placeSchema>;

/** A number that is not finite, and where it came from. */
export const originSchema = z.object({
  /** The stage whose graph made it, and that surfaced it. */
  stage: z.string(),
  /** The tensor of the stage it was looked for in. */
  tensor: z.string(),
  /**
   * The first operation, in the order of computing, whose inputs were finite (or that was fed such a number: then `operation` is
   * 'input' and `scope` the input's name). Null when computing again did not show it: `note` says why.
   */
  operation: z
    .object({
      /** The graph's operation, e.g. `div`. */
      operation: z.string(),
      /** Blocks around it, e.g. `generate.enc.8x8_block0`; `grad.` in front: its part of the backward pass. */
      scope: z.string(),
      inputs: z.array(tensorLineSchema),
      output: tensorLineSchema,
    })
    .nullable(),
  /** One sentence for people. */
  note: z.string(),
});
export type Origin = z.infer<typeof originSchema>;

export const stopReasons = [
  'entry', // before the first stage of an iteration: launched or attached with `stop`
  'step',
  'pause',
  'breakpoint',
  'data breakpoint',
  'exception',
  'goto',
] as const;

const stopSchema = placeSchema.extend({
  reason: z.enum(stopReasons),
  /** What a person reads: `loss.fake rose from 0.4 to 2.1, more than 1`. */
  text: z.string(),
  /** Ids of the breakpoints that were hit. */
  hits: z.array(z.int()),
  /** The rule that stopped it, at an exception. */
  rule: z.string().nullable(),
  /** Numbers counted up at every stop: things read at an earlier stop are stale. */
  stop: count,
});
export type Stop = z.infer<typeof stopSchema>;

/** What happened, in order; `seq` counts from 1 in a session. */
export const debugEventSchema = z.discriminatedUnion('type', [
  stopSchema.extend({ type: z.literal('stopped'), seq: z.int() }),
  /** It goes on, for whatever reason (also another watcher's `resume`, or a `stop`). */
  z.object({ type: z.literal('continued'), seq: z.int() }),
  /** A log point: its text with the values in place of `{expression}`. */
  z.object({ type: z.literal('log'), seq: z.int(), id: z.int(), text: z.string(), place: placeSchema }),
  /** A breakpoint's condition cannot be computed there (an unknown name, say): told once, it does not stop. null: it can again. */
  z.object({ type: z.literal('problem'), seq: z.int(), id: z.int(), problem: z.string().nullable() }),
  /** Words for the console: `note` is information, `warning` that something is not as asked. */
  z.object({ type: z.literal('note'), seq: z.int(), level: z.enum(['info', 'warning']), text: z.string() }),
]);
export type DebugEvent = z.infer<typeof debugEventSchema>;

/** At a line of the listing. Stops once its stage is done. */
const stageBreakpointSchema = z.object({
  /** The asker's, unique among all its breakpoints. */
  id: z.int(),
  stage: name,
  /** Stops only where this is true (not 0, not NaN). */
  condition: text.optional(),
  /** Of the times it would stop: `5` or `= 5` the fifth, `>= 5`, `> 5`, `< 5`, `<= 5`, `% 5` every fifth. */
  hits: text.optional(),
  /** Writes instead of stopping; `{expression}` is replaced by its value. */
  log: text.optional(),
});
/** On a number: looked at before every commit, with the iteration's own numbers. */
const dataBreakpointSchema = z.object({
  id: z.int(),
  /** Of a single number: `loss.fake`, `grad.norm`. */
  expression: text,
  when: z.discriminatedUnion('type', [
    /** Differs from the iteration before's by more than `by` (0: at all). */
    z.object({ type: z.literal('changes'), by: z.number().min(0) }),
    /** Passes `level`, either way. */
    z.object({ type: z.literal('crosses'), level: z.number() }),
    z.object({ type: z.literal('is not finite') }),
  ]),
  condition: text.optional(),
  hits: text.optional(),
});
const exceptionSchema = z.object({ id: z.int(), rule: name, condition: text.optional() });
const most = 200;

export type StageBreakpoint = z.infer<typeof stageBreakpointSchema>;
export type DataBreakpoint = z.infer<typeof dataBreakpointSchema>;
export type ExceptionBreakpoint = z.infer<typeof exceptionSchema>;

/** Whether a breakpoint can ever hit: `problem` says why not, with where in the text, e.g. `condition: ... at 5`. */
const verdict = z.object({ id: z.int(), problem: z.string().nullable() });

/** What a value is and says. */
export const valueSchema = z.object({
  /** For people: `0.25`, `[2, 3, 8, 8] min -1 ...`, `true` is 1. */
  text: z.string(),
  /** The number, where it is a single one. */
  number: measured.nullable(),
  /** The tensor, where it is one: a named one or `#3`. */
  tensor: tensorLineSchema.nullable(),
});
export type Value = z.infer<typeof valueSchema>;

/** A number that can be looked at, and maybe set. */
const numberSchema = z.object({
  /** As expressions have it: `loss.fake`, `rate.generator`; settings as a config has them, `generator.lr`. */
  name: z.string(),
  /** Null: not known yet. */
  value: measured.nullable(),
  /** What it would be by itself, while an override holds. */
  overridden: measured.nullable(),
  writable: z.boolean(),
  /** What the numbers 0, 1, ... of it stand for, where it is one of several words: a weight of Table 2. */
  words: z.array(z.string()).optional(),
  /** Of which iteration it is; settings: the one under way. */
  step,
});
export type NumberLine = z.infer<typeof numberSchema>;

/** A line inside a network: a block with lines of its own, or a few operations. */
const insideLineSchema = z.object({
  /** `x = enc.8x8_conv(x)`, say. */
  text: z.string(),
  /** For `debug/inside`, where it can be entered; null: nothing inside. */
  scope: z.string().nullable(),
  /** Operations it stands for. */
  operations: count,
  /** What comes in from other lines, and what goes out to them; parameters are not among them. */
  inputs: z.array(tensorLineSchema),
  outputs: z.array(tensorLineSchema),
});

export const debugRequests = {
  /** UserError('locked') while another session lasts. Waits while the run opens its models. */
  'debug/attach': request(
    'debug/attach',
    own.extend({
      /** Stops before the first stage of the next iteration, reason `entry`. A run started for a debugger waits there anyway. */
      stop: z.boolean(),
    }),
    z.object({
      /** Iterations done, and to do in all. */
      step,
      iterations: step,
      listing: listingSchema,
      rules: z.array(ruleSchema),
      /** Networks that `debug/skip` and expressions know. */
      networks: z.array(z.string()),
    }),
    null,
  ),
  'debug/hold': request('debug/hold', own, z.object({ reason: z.string() }), null),
  /** Those after number `after`, once there is one; [] when the session ends. */
  'debug/events': request('debug/events', own.extend({ after: count }), z.array(debugEventSchema), null),
  'debug/detach': request('debug/detach', own, nothing),

  /** Each list replaces the one before; one left out stays as it is. Hits are counted anew for a breakpoint that changed. */
  'debug/breakpoints': request(
    'debug/breakpoints',
    own.extend({
      stages: z.array(stageBreakpointSchema).max(most).optional(),
      data: z.array(dataBreakpointSchema).max(most).optional(),
      exceptions: z.array(exceptionSchema).max(most).optional(),
    }),
    z.array(verdict),
  ),

  /**
   * Lets a stopped run go, answered at once; `stopped` tells where it comes to. UserError('usage') when it does not stand.
   * `back` and `restart` drop the iteration's work and compute it again from the same draws, with the values changed so far
   * changed again; at its first stage there is nothing before it. A debugger that wants none of the changes says `keep: false`.
   */
  'debug/go': request(
    'debug/go',
    own.extend({
      how: z.discriminatedUnion('to', [
        z.object({ to: z.literal('continue') }),
        /** The next stage. */
        z.object({ to: z.literal('next') }),
        /** The stage before this one. */
        z.object({ to: z.literal('back') }),
        /** The iteration's first stage. */
        z.object({ to: z.literal('restart'), keep: z.boolean() }),
        /** The next time this stage is done (or a breakpoint before it). */
        z.object({ to: z.literal('stage'), stage: name }),
        /** The state of a checkpoint, `debug/checkpoints`: stops at the entry of the iteration after it. What was recorded since, and later checkpoints, are given up. */
        z.object({ to: z.literal('checkpoint'), step }),
      ]),
    }),
    nothing,
    600,
  ),
  /** Stops after the next stage; answered at once. */
  'debug/pause': request('debug/pause', own, nothing),
  /** At a stop: this iteration leaves these networks as they are; [] takes that back. */
  'debug/skip': request('debug/skip', own.extend({ networks: z.array(name).max(8) }), nothing),
  /** Steps that `debug/go` can go back to, the newest first. */
  'debug/checkpoints': request('debug/checkpoints', own, z.array(step)),

  /** At a stop: every tensor that exists, or those named. Large ones come without statistics. */
  'debug/tensors': request(
    'debug/tensors',
    own.extend({ names: z.array(name).max(200).optional() }),
    z.array(tensorLineSchema),
    600,
  ),
  'debug/statistics': request('debug/statistics', own.extend({ tensor: name, path }), statisticsSchema, 600),
  /** Numbers of the iteration (or of the one before, until they are measured), and settings, at any time. */
  'debug/numbers': request(
    'debug/numbers',
    own,
    z.object({ numbers: z.array(numberSchema), settings: z.array(numberSchema) }),
  ),
  /** What lies below `path`, from number `start` on: rows with statistics, or single numbers. */
  'debug/children': request(
    'debug/children',
    own.extend({ tensor: name, path, start: count, count: z.int().min(1).max(mostChildren) }),
    z.array(
      z.object({
        index: count,
        /** Of what lies below it; [] for a single number. */
        shape: z.array(count),
        number: measured.nullable(),
        statistics: statisticsSchema.nullable(),
      }),
    ),
    600,
  ),
  /** Bytes [offset, offset + count), fewer at its end. */
  'debug/read': request(
    'debug/read',
    own.extend({ tensor: name, offset: count, count: z.int().min(0).max(mostReadBytes) }),
    z.object({ bytes, size: count }),
    600,
  ),
  /** Whole or in parts of numbers; all that follows is computed from it. @returns bytes written */
  'debug/write': request(
    'debug/write',
    own.extend({ tensor: name, offset: count, bytes }),
    z.object({ written: count }),
    600,
  ),
  /** The numbers below `path`, at most 2^24 of them: for a heatmap. */
  'debug/tensor': request('debug/tensor', own.extend({ tensor: name, path }), z.object({ tensor: tensorSchema }), 600),

  /**
   * `grad.norm`, `mean(muReal - x)`, `grad[0, 1]`; with `assigns`, also `lambda = 0.5`, `grad[0] = 0`, `matching.weight = sigma/alpha`,
   * `generator.lr = null` (takes an override back). UserError('usage') with where in the text. At any time; between stops there are numbers and settings only.
   */
  'debug/evaluate': request('debug/evaluate', own.extend({ expression: text, assigns: z.boolean() }), valueSchema, 600),
  /** Sets `target` (`lambda`, `generator.lr`, `grad`, `grad[0, 1]`) to what `value` says. At a stop. */
  'debug/assign': request('debug/assign', own.extend({ target: text, value: text }), valueSchema, 600),
  /** What may stand at `at` (UTF-16 units from the start) in place of the word that begins at `start`. */
  'debug/complete': request(
    'debug/complete',
    own.extend({ text, at: count }),
    z.object({
      start: count,
      items: z.array(
        z.object({ label: z.string(), kind: z.enum(['tensor', 'number', 'setting', 'function', 'property']) }),
      ),
    }),
  ),

  /**
   * At a stop: the stage's listing, `scope` '' for the whole of it, or a block's. Computed again from the stage's inputs as they are, within
   * 1e-5 of what the stage gave; read only. UserError('usage') for a stage without a graph (`draw`, `commit`).
   */
  'debug/inside': request(
    'debug/inside',
    own.extend({ scope: z.string().max(1000) }),
    z.object({ title: z.string(), lines: z.array(insideLineSchema) }),
    600,
  ),
  /** At a stop with a number that is not finite: the operation that first made it. */
  'debug/origin': request('debug/origin', own.extend({ tensor: name.optional() }), originSchema, 600),
} as const;
