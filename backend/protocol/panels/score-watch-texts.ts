/** Every text of the score watch's page: the host translates them. `{0}` is filled in by the page. */
import { z } from '../config/zod.ts';
import type { ScoreTexts } from './heatmap-texts.ts';

export interface ScoreWatchTexts extends ScoreTexts {
  readonly expressions: string;
  readonly preset: string;
  readonly presetChoose: string;
  readonly roleX: string;
  readonly roleXt: string;
  readonly roleReal: string;
  readonly roleFake: string;
  readonly roleWeight: string;
  readonly roleAlpha: string;
  readonly roleSigma: string;
  readonly weightHint: string;
  readonly levelHint: string;
  readonly apply: string;
  readonly sample: string;
  readonly frame: string;
  readonly follow: string;
  readonly followHint: string;
  readonly stoppedAt: string;
  readonly notStopped: string;
  readonly reading: string;
  readonly took: string;
  readonly lastStops: string;
  readonly stopName: string;
  readonly forget: string;
  readonly empty: string;
  readonly differ: string;
  readonly everyNth: string;
  readonly statisticsOfAll: string;
}

export const scoreWatchInitialSchema = z.object({
  texts: z.record(z.string(), z.string()).transform((all) => all as unknown as ScoreWatchTexts),
});
