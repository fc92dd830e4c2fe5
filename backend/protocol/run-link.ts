/**
 * The frames between a run and those who watch it from other processes. The watcher speaks first, so that one who can
 * only read (a Windows pipe lets others do that) learns nothing:
 *
 *   watcher: hello                    run: greeting, then `message` for everything that the watcher subscribed to
 *   watcher: request (id)             run: answer or error (id), in any order
 *   watcher: cancel (id)              run: error (id), or an answer that was on its way
 *
 * Editor and run may be of different versions. `hello` and the run's refusal (`done` without an id) are the same in all of them.
 */
import { z } from './config/zod.ts';
import { step } from './rpc/define.ts';
import { workSchema } from './rpc/runs.ts';
import {
  errorMessageSchema,
  openedSchema,
  runMessageSchema,
  runStateSchema,
  stepMessageSchema,
} from './run-messages.ts';

/** Raised when a frame changes: a run may be older or newer than the editor that finds it. */
export const linkProtocol = 2;

const id = z.int();

/** What asks and what answers, also between the threads of one process. */
const requestFrameSchema = z.object({
  type: z.literal('request'),
  id,
  method: z.string().max(100),
  params: z.unknown(),
});
const cancelFrameSchema = z.object({ type: z.literal('cancel'), id });
const answerFrameSchema = z.object({ type: z.literal('answer'), id, result: z.unknown() });
const errorFrameSchema = z.object({ type: z.literal('error'), id, error: errorMessageSchema });
export type AskingFrame = z.infer<typeof requestFrameSchema> | z.infer<typeof cancelFrameSchema>;
export type AnsweringFrame = z.infer<typeof answerFrameSchema> | z.infer<typeof errorFrameSchema>;

export const watcherFrameSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), protocol: z.int() }),
  requestFrameSchema,
  cancelFrameSchema,
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
  answerFrameSchema,
  errorFrameSchema,
  /** Why the run does not take this watcher; it says no more. */
  z.object({ type: z.literal('done'), id: z.null(), error: errorMessageSchema }),
]);
export type RunFrame = z.infer<typeof runFrameSchema>;
