/**
 * The frames between a run and those who watch it from other processes. The watcher speaks first, so that one who can
 * only read (a Windows pipe lets others do that) learns nothing:
 *
 *   watcher: hello                    run: greeting, then `message` for everything that happens
 *   watcher: command (id)             run: done (id), once the run's process has the command
 */
import { z } from './config/zod.ts';
import { step } from './rpc/define.ts';
import { workSchema } from './rpc/runs.ts';
import {
  errorMessageSchema,
  openedSchema,
  runCommandSchema,
  runMessageSchema,
  runStateSchema,
  stepMessageSchema,
} from './run-messages.ts';

/** Raised when a frame changes: a run may be older or newer than the editor that finds it. */
export const linkProtocol = 1;

export const watcherFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), protocol: z.int() }),
  z.object({ type: z.literal('command'), id: z.int(), command: runCommandSchema }),
]);
export type WatcherFrame = z.infer<typeof watcherFrameSchema>;

/** How the run stands when a watcher comes. */
const greetingSchema = z.object({
  type: z.literal('greeting'),
  protocol: z.int(),
  opened: openedSchema,
  state: runStateSchema,
  /** What it does before or after the iterations; null between them. */
  work: workSchema.nullable(),
  /** Iterations done. */
  step,
  /** What the last of them measured; null when this process has not done any. */
  last: stepMessageSchema.nullable(),
});
export type Greeting = z.infer<typeof greetingSchema>;

export const runFrameSchema = z.discriminatedUnion('type', [
  greetingSchema,
  z.object({ type: z.literal('message'), message: runMessageSchema }),
  /** `error`: why the run does not take the command (id), or the watcher (null). */
  z.object({ type: z.literal('done'), id: z.int().nullable(), error: errorMessageSchema.nullable() }),
]);
export type RunFrame = z.infer<typeof runFrameSchema>;
