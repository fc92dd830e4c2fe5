/** Rows of a table by number: word embeddings. */
import type { Attributes, Shape, Tensor } from '../graph.ts';
import { apply1, defineOp } from './define.ts';

function infer([table, ids]: readonly Shape[]): Shape[] {
  if (table.length !== 2) throw new Error('a table needs two axes, rows and columns');
  return [[...ids, table[1]]];
}

const embeddingOp = defineOp('embedding', infer);
/** Inputs: ids, d loss / d result. The gradient of the table (attribute `shape`): every row the sum over its uses. */
const embeddingGradOp = defineOp('embeddingGrad', (_: readonly Shape[], attrs: Attributes) => [
  attrs.shape as number[],
]);

/**
 * table [rows, C], ids of any shape -> [...ids, C]. Ids are whole numbers from 0 to rows - 1 held as float32, which is
 * exact up to 16,777,216; what others give is up to the device.
 */
export const embedding = (table: Tensor, ids: Tensor): Tensor => apply1(embeddingOp, [table, ids]);

export const embeddingGrad = (ids: Tensor, dy: Tensor, shape: Shape): Tensor =>
  apply1(embeddingGradOp, [ids, dy], { shape: [...shape] });
