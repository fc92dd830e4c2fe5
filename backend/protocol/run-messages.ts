/** What a training run tells those who watch it, whether they share a thread, a process or neither. */
import { configKinds } from './config/common.ts';
import { z } from './config/zod.ts';
import { measured, step } from './rpc/define.ts';
import { errorDataSchema } from './rpc/errors.ts';
import { type Interests, tensorSchema, workSchema } from './rpc/runs.ts';

/** An error as it crosses threads and processes. */
export const errorMessageSchema = errorDataSchema.extend({ message: z.string() });
export type ErrorMessage = z.infer<typeof errorMessageSchema>;

/** The folder is there and locked; computing begins. */
export const openedSchema = z.object({
  type: z.literal('opened'),
  folder: z.string(),
  kind: z.enum(configKinds),
  /** The device and why it was chosen. */
  device: z.string(),
  why: z.string(),
  threads: z.number(),
  /** Iterations done before, and to do in all. */
  step,
  iterations: step,
  /** Of a run that goes on: what was recorded from this step on is forgotten. null: a new run. */
  restartAt: step.nullable(),
  /** Whether it has scores that a probe could show: not when it teaches, or distribution matching is off. */
  probe: z.boolean(),
});

export const runStateSchema = z.enum(['running', 'paused', 'stopping']);

export const stepMessageSchema = z.object({
  type: z.literal('step'),
  step,
  iterations: step,
  /** When it was done, in seconds since 1970. */
  time: z.number(),
  /** By the tag they are recorded under, e.g. loss/matching. */
  scalars: z.record(z.string(), measured),
});

/** From the run. */
export const runMessageSchema = z.discriminatedUnion('type', [
  openedSchema,
  /** Long work before or after the iterations, e.g. making pairs. */
  workSchema.extend({ type: z.literal('work') }),
  stepMessageSchema,
  z.object({ type: z.literal('checkpoint'), step, path: z.string() }),
  /** Something was recorded and can be read; `dropped`: steps of this kind that were given up for it. */
  z.object({
    type: z.literal('recorded'),
    kind: z.enum(['samples', 'training', 'probe', 'stop']),
    step,
    dropped: z.array(step),
  }),
  /** The probe of the state after `step` iterations, recorded or not, while somebody wants it. */
  z.object({
    type: z.literal('probe'),
    step,
    tensors: z.array(tensorSchema),
    metadata: z.record(z.string(), z.string()),
  }),
  z.object({ type: z.literal('note'), level: z.enum(['info', 'warning']), text: z.string() }),
  z.object({ type: z.literal('state'), state: runStateSchema }),
  /** The config is another one after `step` iterations: `set`, as `key.of.it=value`. */
  z.object({
    type: z.literal('changed'),
    step,
    iterations: step,
    probe: z.boolean(),
    set: z.array(z.string()),
  }),
  /** The last message of a run that ended in order. */
  z.object({
    type: z.literal('ended'),
    state: z.enum(['finished', 'stopped']),
    folder: z.string(),
    step,
    iterations: step,
    /** Weights written at the end. */
    files: z.array(z.string()),
  }),
  /** The last message of a run that did not. */
  z.object({ type: z.literal('failed'), folder: z.string().nullable(), error: errorMessageSchema }),
]);
export type RunMessage = z.infer<typeof runMessageSchema>;

/** One kind of message, e.g. RunMessageOf<'step'>. */
export type RunMessageOf<T extends RunMessage['type']> = Extract<RunMessage, { type: T }>;

const interestOfType: Partial<Record<RunMessage['type'], keyof Interests>> = {
  step: 'steps',
  recorded: 'records',
  probe: 'probe',
  note: 'notes',
};

/** Whether a message is for somebody with these interests; how the run stands is for everybody. */
export function isFor(wants: Interests, { type }: RunMessage): boolean {
  const interest = interestOfType[type];
  return interest === undefined || wants[interest];
}
