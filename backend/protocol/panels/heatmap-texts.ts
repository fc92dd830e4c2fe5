/** The texts of heatmaps and of score sets, which several panels show: the host translates them. `{0}` is filled in by the page. */
import { z } from '../config/zod.ts';

export interface HeatmapTexts {
  // scales
  readonly scale: string;
  readonly scaleHint: string;
  readonly scaleLock: string;
  readonly scaleUnlock: string;
  readonly scaleOf: string;
  readonly scaleEach: string;
  readonly scaleRow: string;
  // channels
  readonly channels: string;
  readonly channelsTogether: string;
  readonly channelsApart: string;
  readonly channelNumber: string;
  // what is seen
  readonly predictions: string;
  readonly asPictures: string;
  readonly asNumbers: string;
  readonly wholePicture: string;
  readonly keys: string;
  readonly pixel: string;
  readonly statistics: string;
  readonly oddNan: string;
  readonly oddInfinite: string;
  readonly zeros: string;
}

/** The same of a set of scores. */
export interface ScoreTexts extends HeatmapTexts {
  readonly scores: string;
  readonly fieldX: string;
  readonly fieldXt: string;
  readonly fieldMuReal: string;
  readonly fieldMuFake: string;
  readonly fieldScoreReal: string;
  readonly fieldScoreFake: string;
  readonly fieldDifference: string;
  readonly fieldWeight: string;
  readonly fieldGrad: string;
  readonly hintX: string;
  readonly hintXt: string;
  readonly hintMuReal: string;
  readonly hintMuFake: string;
  readonly hintScoreReal: string;
  readonly hintScoreFake: string;
  readonly hintDifference: string;
  readonly hintWeight: string;
  readonly hintGrad: string;
  readonly cosine: string;
  readonly residualRatio: string;
  readonly weight: string;
}

const texts = z.record(z.string(), z.string());

/** The host fills in every one: its texts are checked by the compiler, the page's by being of the same build. */
export const heatmapTextsSchema = texts.transform((all) => all as unknown as HeatmapTexts);
export const scoreTextsSchema = texts.transform((all) => all as unknown as ScoreTexts);
