/** Every text of the generate panel's page: the host translates them, the page shows them. `{0}` is filled in by the page. */
import { z } from '../config/zod.ts';

export interface GenerateTexts {
  readonly model: string;
  readonly inspect: string;
  readonly class: string;
  readonly classFromSeed: string;
  readonly classEach: string;
  readonly prompt: string;
  readonly promptHint: string;
  readonly negative: string;
  readonly negativeHint: string;
  readonly guidance: string;
  readonly live: string;
  readonly liveTitle: string;
  readonly keepLive: string;
  readonly recent: string;
  readonly recentChoose: string;
  readonly soFar: string;
  readonly seed: string;
  readonly lock: string;
  readonly random: string;
  readonly count: string;
  readonly steps: string;
  readonly stepsDefault: string;
  readonly device: string;
  readonly deviceAuto: string;
  readonly beside: string;
  readonly other: string;
  readonly ownTeacher: string;
  readonly chooseOther: string;
  readonly generate: string;
  readonly cancel: string;
  readonly queue: string;
  readonly results: string;
  readonly settings: string;
  readonly history: string;
  readonly seedOf: string;
  readonly imageOf: string;
  readonly perImage: string;
  readonly startup: string;
  readonly stepCount: string;
  readonly oneStep: string;
  readonly faster: string;
  readonly asFast: string;
  readonly save: string;
  readonly saveAll: string;
  readonly copy: string;
  readonly insert: string;
  readonly insertNone: string;
  readonly restore: string;
  readonly restoreImage: string;
  readonly open: string;
  readonly delete: string;
  readonly deleted: string;
  readonly undo: string;
  readonly copied: string;
  readonly saved: string;
  readonly inserted: string;
  readonly restored: string;
  readonly dismiss: string;
  readonly loading: string;
  readonly retry: string;
  readonly noModels: string;
  readonly gone: string;
  readonly empty: string;
  readonly emptyHint: string;
  readonly noHistory: string;
  readonly dropHint: string;
  readonly selected: string;
  readonly done: string;
}

/** What the host writes into the page. */
export const generateInitialSchema = z.object({
  texts: z.record(z.string(), z.string()).transform((all) => all as unknown as GenerateTexts),
});
