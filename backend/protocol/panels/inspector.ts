/**
 * The score inspector's page and its host. The page owns what is inspected and how it is looked at; the host passes its questions
 * on to the backend, about the run that it names, and writes files.
 */
import { z } from '../config/zod.ts';
import { inspectionQuerySchema } from '../inspection.ts';
import { bytes, notification, path, request, step } from '../rpc/define.ts';
import { progress } from '../rpc/images.ts';
import { describeInspection, inspectScores } from '../rpc/inspect.ts';

export { describeInspection, inspectScores, progress };

/** A checkpoint by its step, the newest one, or the run as it is. */
export const inspectedStateSchema = z.union([step, z.enum(['latest', 'live'])]);
export type InspectedState = z.infer<typeof inspectedStateSchema>;

/** What is to be looked at; whatever is left out stays as it is. */
export const inspectorChoiceSchema = z.object({
  folder: path.nullable(),
  state: inspectedStateSchema.optional(),
  ...inspectionQuerySchema.pick({ sample: true, condition: true, level: true }).partial().shape,
});
export type InspectorChoice = z.infer<typeof inspectorChoiceSchema>;

/** What the page keeps for its next life, also after a reload of the window. */
export const inspectorStateSchema = z.object({
  folder: path.nullable(),
  state: inspectedStateSchema,
  /** Another checkpoint beside it. */
  other: inspectedStateSchema.nullable(),
  query: inspectionQuerySchema,
  look: z.unknown(),
});
export type InspectorState = z.infer<typeof inspectorStateSchema>;

/** The person picks a run; null when they changed their mind. */
export const pickInspected = request('inspector/pick', z.object({}), z.object({ folder: path.nullable() }), null);
/** Asks where to, and writes there; false: the person changed their mind. */
export const saveInspectorPng = request(
  'inspector/savePng',
  z.object({ name: z.string().max(200), png: bytes }),
  z.boolean(),
  null,
);
/** The same of a safetensors file, with an offer of Python that loads it. */
export const saveInspectorTensors = request(
  'inspector/saveTensors',
  z.object({ name: z.string().max(200), file: bytes }),
  z.boolean(),
  null,
);
/** Its title. */
export const inspectorTitle = notification('inspector/title', z.object({ folder: path.nullable() }));

/** Show this from now on. */
export const inspectHere = notification('inspector/show', inspectorChoiceSchema);
/** The run, or what is known of it, changed: ask anew. */
export const inspectedChanged = notification('inspector/changed', z.object({}));
