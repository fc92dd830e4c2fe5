/**
 * The page that shows one value of a stopped program, or the difference of two. The page owns what is looked at and asks for
 * the slice that is seen; the host asks the program and says when it stops.
 */
import { z } from '../config/zod.ts';
import { notification, request } from '../rpc/define.ts';
import { axisRoles } from '../values/axes.ts';
import { arrayValueSchema, cutSchema } from '../values/value.ts';

const size = z.int().min(0);
const sizes = z.array(size).max(5);
export const expressionSchema = z.string().max(10_000);

/** Where a program stands: `train.py:41 (step)`, and the debug session's name. */
export const stopSchema = z.object({ where: z.string(), session: z.string() });
export type Stop = z.infer<typeof stopSchema>;

/** The first question: where the program stands. From now on news of it come. Null: none is stopped. */
export const readStop = request('value/stop', z.object({}), stopSchema.nullable());

/** Ends with an error in words where the value is no array, or nothing is stopped. */
export const readArray = request(
  'value/read',
  z.object({ expression: expressionSchema, shape: sizes.nullable(), count: z.boolean(), cut: cutSchema.nullable() }),
  arrayValueSchema,
);

/** Asks where to, and writes there; false: the person changed their mind. */
export const savePicture = request(
  'value/savePng',
  z.object({ name: z.string().max(200), png: z.instanceof(Uint8Array) }),
  z.boolean(),
  null,
);

/** The program stopped, or another frame of it was chosen; null: it runs on, or ended. */
export const stopChanged = notification('value/stopChanged', z.object({ stop: stopSchema.nullable() }));
/** Another value is to be shown from now on. */
export const showExpression = notification('value/show', z.object({ expression: expressionSchema }));
export const titleChanged = notification('value/title', z.object({ expression: expressionSchema }));

/** How numbers become colours: `signed` around zero, or as an image whose black and white are these. */
export const lookKinds = ['signed', 'image', 'unit', 'byte'] as const;
export type LookKind = (typeof lookKinds)[number];

/** What the page keeps for its next life. */
export const valueStateSchema = z.object({
  expression: expressionSchema,
  /** What is taken from it; empty: nothing. */
  minus: expressionSchema,
  /** Looked at in another shape. */
  shape: sizes.nullable(),
  /** Null: guessed. */
  roles: z.array(z.enum(axisRoles)).max(5).nullable(),
  at: sizes,
  /** Null: guessed. */
  kind: z.enum(lookKinds).nullable(),
  channels: z.union([z.enum(['together', 'apart']), size]),
  /** End of the colours that the person fixed. */
  end: z.number().positive().nullable(),
  /** Read again at every stop. */
  follow: z.boolean(),
});
export type ValueState = z.infer<typeof valueStateSchema>;

export function firstState(expression: string): ValueState {
  return {
    ...{ expression, minus: '', shape: null, roles: null, at: [], kind: null },
    ...{ channels: 'together', end: null, follow: true },
  };
}
