/** Every text of the value page: the host translates them. `{0}` is filled in by the page. */
import { z } from '../config/zod.ts';
import type { HeatmapTexts } from './heatmap-texts.ts';

export interface ValueTexts extends HeatmapTexts {
  // what is shown
  readonly expression: string;
  readonly expressionHint: string;
  readonly minus: string;
  readonly minusHint: string;
  readonly show: string;
  readonly follow: string;
  readonly followHint: string;
  readonly stoppedAt: string;
  readonly notStopped: string;
  readonly asOf: string;
  readonly reading: string;
  readonly savePng: string;
  readonly shapeMismatch: string;
  // what it is
  readonly value: string;
  readonly shape: string;
  readonly type: string;
  readonly on: string;
  readonly min: string;
  readonly mean: string;
  readonly max: string;
  readonly std: string;
  readonly nan: string;
  readonly above: string;
  readonly below: string;
  readonly zero: string;
  readonly notCounted: string;
  readonly seenDifference: string;
  // axes
  readonly axes: string;
  readonly axis: string;
  readonly roleRows: string;
  readonly roleColumns: string;
  readonly roleChannels: string;
  readonly roleIndex: string;
  readonly indexOf: string;
  readonly as: string;
  readonly asHint: string;
  readonly badShape: string;
  readonly guess: string;
  readonly everyNth: string;
  // colours
  readonly colours: string;
  readonly kindSigned: string;
  readonly kindImage: string;
  readonly kindUnit: string;
  readonly kindByte: string;
}

export const valueInitialSchema = z.object({
  texts: z.record(z.string(), z.string()).transform((all) => all as unknown as ValueTexts),
  /** To be shown when the page has no state of its own. */
  expression: z.string(),
});
