/** What a run that works now is asked through the backend: its own requests (../run-requests.ts), with its folder. */
import { z } from '../config/zod.ts';
import { debugRequests } from '../debug-requests.ts';
import { type RunCommand, runCommands, runRequests } from '../run-requests.ts';
import { path, type RequestDefinition, request, step } from './define.ts';

/** Ends when it is done: the run stands still, goes on, or has written the checkpoint (`path`). */
export const commandRun = request(
  'runs/command',
  z.object({ folder: path, command: z.enum(Object.keys(runCommands) as RunCommand[]) }),
  z.object({ step, path: z.string().nullable() }),
  null,
);

function ofRun<P, R>({ method, params, result, timeoutSeconds }: RequestDefinition<P, R>) {
  return request(`runs/${method}`, z.object({ folder: path, params }), result, timeoutSeconds);
}

export const listTensors = ofRun(runRequests['tensors/list']);
export const readTensor = ofRun(runRequests['tensors/read']);

/**
 * Any request of debug-requests.ts, whose `params` and result these are. The whole of a session goes over one line, from its
 * `debug/attach` on until its `debug/hold` is answered or cancelled.
 */
export const debugRun = request(
  'runs/debug',
  z.object({
    folder: path,
    method: z.enum(Object.keys(debugRequests) as (keyof typeof debugRequests)[]),
    params: z.unknown(),
  }),
  z.unknown(),
  null,
);
export const readPlane = ofRun(runRequests.plane);
export const paceRun = ofRun(runRequests.pace);
export const advanceRun = ofRun(runRequests.advance);
export const changeRun = ofRun(runRequests.change);
