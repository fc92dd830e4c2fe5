/**
 * The order of a run that is several ranks. A launcher hands on arguments, but no channel: each rank finds the order among them, and
 * rank 0 answers in a file, in a folder that only this user can enter, on the machine where the run was started.
 */
import fs from 'node:fs';
import { readText } from '../../files/regular.ts';
import { z } from '../../protocol/config/zod.ts';
import { parseJson } from '../../protocol/json.ts';
import { type Answer, answerSchema, type Order, orderSchema } from './handshake.ts';

const rankOrderSchema = z.object({
  order: orderSchema,
  /** Where the answer is looked for. */
  host: z.string(),
  answer: z.string(),
});
export type RankOrder = z.infer<typeof rankOrderSchema>;

/** As an argument, which a launcher may look into for what means something to it. */
export function rankArgument(order: Order, host: string, answer: string): string {
  return Buffer.from(JSON.stringify({ order, host, answer })).toString('base64url');
}

/** @param argv of this process; null where it has no order in it */
export function rankOrder(argv: readonly string[]): RankOrder | null {
  const given = argv[2];
  return given === undefined ? null : rankOrderSchema.parse(parseJson(Buffer.from(given, 'base64url').toString()));
}

/** The first answer counts; a starter that is gone needs none. */
export function writeAnswer({ answer }: RankOrder, message: Answer): void {
  try {
    fs.writeFileSync(`${answer}.tmp`, JSON.stringify(message), { flag: 'wx', mode: 0o600 });
    fs.renameSync(`${answer}.tmp`, answer);
  } catch {}
}

/** Undefined until it is there. */
export function readAnswer(file: string): Answer | undefined {
  try {
    return answerSchema.parse(parseJson(readText(file, 'note')));
  } catch {
    return undefined;
  }
}
