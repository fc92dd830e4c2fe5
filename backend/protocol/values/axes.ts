/** Which axes of an array are seen, guessed from its shape as the field's libraries lay arrays out, and changeable. */
import type { Cut } from './value.ts';

export const axisRoles = ['rows', 'columns', 'channels', 'index'] as const;
export type AxisRole = (typeof axisRoles)[number];

/** One for each axis. At most one is `rows`, one `channels`, and `columns` is one unless the array is a single number. */
export type AxisRoles = readonly AxisRole[];

/** Grey, two latents, colours, colours with alpha or Stable Diffusion's latents. */
const isChannels = (size: number | undefined) => size !== undefined && size >= 1 && size <= 4;

/**
 * PyTorch's order, channels before rows and columns, unless only the last axis can be channels: images of NumPy, JAX and
 * TensorFlow. Five axes are a video: frames before or after the channels.
 */
export function guessAxes(shape: readonly number[]): AxisRoles {
  const axes = shape.length;
  if (axes === 0) return [];
  if (axes === 1) return ['columns'];
  const roles: AxisRole[] = new Array(axes).fill('index');
  const last = axes >= 3 && isChannels(shape[axes - 1]) && !isChannels(shape[axes - 3]);
  const [rows, columns] = last ? [axes - 3, axes - 2] : [axes - 2, axes - 1];
  roles[rows] = 'rows';
  roles[columns] = 'columns';
  const before = axes === 5 && !isChannels(shape[2]) ? 1 : axes - 3;
  const channels = last ? axes - 1 : before;
  if (channels >= 0 && isChannels(shape[channels])) roles[channels] = 'channels';
  return roles;
}

/** The roles after one axis was given another: who had that role takes the old one, and what must be seen stays seen. */
export function withRole(roles: AxisRoles, axis: number, role: AxisRole): AxisRoles {
  const changed = [...roles];
  const other = role === 'index' ? -1 : roles.indexOf(role);
  if (other >= 0) changed[other] = roles[axis]!;
  changed[axis] = role;
  return changed.includes('columns') ? changed : roles;
}

/** A picture's sides are at most so long: of longer ones every n-th number is seen. */
const longestSide = 2048;

export interface Seen {
  readonly cut: Cut;
  /** What comes is [channels, height, width]. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Every n-th row and column. */
  readonly step: number;
}

/**
 * @param at the index on each axis that is not seen; beyond the end it is the last
 * @param most numbers
 */
export function seenBy(shape: readonly number[], roles: AxisRoles, at: readonly number[], most: number): Seen {
  const order = (['channels', 'rows', 'columns'] as const)
    .map((role) => roles.indexOf(role))
    .filter((axis) => axis >= 0);
  const size = (role: AxisRole) => shape[roles.indexOf(role)] ?? 1;
  const [channels, rows, columns] = [size('channels'), size('rows'), size('columns')];
  const side = (length: number, step: number) => Math.ceil(length / step);
  let step = Math.max(1, Math.ceil(Math.max(rows, columns) / longestSide));
  while (channels * side(rows, step) * side(columns, step) > most && step < Math.max(rows, columns)) step++;
  const stepped = (axis: number) => (roles[axis] === 'rows' || roles[axis] === 'columns' ? step : 1);
  const cut: Cut = {
    at: shape.map((length, axis) => (order.includes(axis) ? null : Math.max(0, Math.min(length - 1, at[axis] ?? 0)))),
    step: shape.map((_, axis) => stepped(axis)),
    order,
  };
  return { cut, channels, height: side(rows, step), width: side(columns, step), step };
}
