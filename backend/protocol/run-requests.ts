/**
 * What a run that works can be asked, by whoever holds a line to it: another process over its socket, or the thread that started
 * it. As in rpc/, a request is a name with schemas, and always ends: answered, refused, cancelled or timed out. What only
 * makes sense between two stages of an iteration waits there; the rest is answered at once.
 */
import { z } from './config/zod.ts';
import { debugRequests } from './debug-requests.ts';
import { inspectionQuerySchema, inspectionSchema } from './inspection.ts';
import { planeQuestionSchema, planeSchema } from './plane.ts';
import { nothing, type RequestDefinition, request, step } from './rpc/define.ts';
import { interestsSchema, tensorSchema } from './rpc/runs.ts';

const none = z.object({});
/** Iterations done where it happened. */
const at = z.object({ step });
/** A tensor is read in parts of at most so many numbers: 64 MiB. */
export const mostNumbers = 2 ** 24;
const tensorName = z.string().max(200);

/** Done once they arrive: who leaves, cancels or gives up only does not hear what came of it. */
export const runCommands = {
  /** Answered where the run stands. */
  pause: request('pause', none, at, null),
  resume: request('resume', none, at, null),
  /** Answered when it is on the disk; at once when this very state is there already. */
  checkpoint: request('checkpoint', none, at.extend({ path: z.string() }), null),
  /** Write a checkpoint and end; the run can be resumed. `path` null: it had done nothing that could be saved. */
  stop: request('stop', none, at.extend({ path: z.string().nullable() }), null),
} as const;
export type RunCommand = keyof typeof runCommands;

export const runRequests = {
  ...runCommands,
  /** What the asker is told from now on, instead of before. The run computes for all its watchers together. */
  subscribe: request('subscribe', interestsSchema, nothing),
  /** Both scores of one image, of the state as it is. It is computed between two iterations, which are none the wiser. */
  inspect: request('inspect', inspectionQuerySchema, inspectionSchema, 600),
  /**
   * What the run holds now: `training/...`, the latest iteration's, or what there is so far of the one under way; and `probe/...`, of
   * the state as it is.
   */
  'tensors/list': request(
    'tensors/list',
    none,
    z.array(z.object({ name: tensorName, shape: z.array(z.int().min(0)) })),
    600,
  ),
  /** One of them, or the part [from, to) along its first axis; `step`: the iteration, or the state, that it is of. */
  'tensors/read': request(
    'tensors/read',
    z.object({ name: tensorName, from: z.int().min(0).optional(), to: z.int().min(0).optional() }),
    at.extend({ tensor: tensorSchema }),
    600,
  ),
  ...debugRequests,
  /** Refused by a run whose samples are no points of the plane. */
  plane: request('plane', planeQuestionSchema, planeSchema, 60),
  /** At most so many iterations a second from now on; null: as fast as it can. */
  pace: request('pace', z.object({ perSecond: z.number().min(0.01).max(1e6).nullable() }), at, 600),
  /** Goes on, and pauses after so many iterations. */
  advance: request('advance', z.object({ iterations: z.int().min(1).max(1e9) }), at, 600),
  /**
   * Other values of the config from here on, `key.of.it=value`, as a resume takes them: it writes a checkpoint, begins again with it
   * at once and notes the change. Answered when the values are known to be sound; refused, the run goes on as it was.
   */
  change: request('change', z.object({ set: z.array(z.string().max(100_000)).min(1).max(100) }), at, null),
} as const;

/** Rejects with a UserError: what the run said, `cancelled`, or that it cannot be reached (any more). */
export type AskRun = <P, R>(definition: RequestDefinition<P, R>, params: P, signal?: AbortSignal) => Promise<R>;

/** undefined: this version knows no such request. */
export function runRequest(method: string): RequestDefinition<unknown, unknown> | undefined {
  return Object.hasOwn(runRequests, method) ? runRequests[method as keyof typeof runRequests] : undefined;
}
