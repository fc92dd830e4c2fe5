/** Every text of the score inspector's page: the host translates them. `{0}` is filled in by the page. */
import { z } from '../config/zod.ts';
import type { ScoreTexts } from './heatmap-texts.ts';
import { inspectorChoiceSchema } from './inspector.ts';

export interface InspectorTexts extends ScoreTexts {
  readonly run: string;
  readonly pickRun: string;
  readonly noRun: string;
  readonly state: string;
  readonly stateStep: string;
  readonly stateLive: string;
  readonly beside: string;
  readonly besideNone: string;
  readonly sample: string;
  readonly sampleSeed: string;
  readonly sampleRecorded: string;
  readonly sampleProbe: string;
  readonly sampleNumber: string;
  readonly class: string;
  readonly ownCondition: string;
  readonly prompt: string;
  readonly promptHint: string;
  readonly level: string;
  readonly levelHint: string;
  readonly sigma: string;
  readonly timestep: string;
  readonly stepSize: string;
  readonly stepSizeHint: string;
  readonly refresh: string;
  readonly savePng: string;
  readonly saveTensors: string;
  readonly cancel: string;
  readonly cancelled: string;
  readonly working: string;
  readonly workWaiting: string;
  readonly workOpening: string;
  readonly workLevels: string;
  readonly workAsking: string;
  readonly inspected: string;
  readonly nothing: string;
  readonly setOf: string;
  readonly setDifference: string;
  readonly pictures: string;
  readonly colours: string;
  readonly colourHint: string;
  readonly latents: string;
  readonly fieldStepped: string;
  readonly hintStepped: string;
  readonly fieldConditional: string;
  readonly hintConditional: string;
  readonly fieldMatches: string;
  readonly hintMatches: string;
  readonly fieldGuides: string;
  readonly hintGuides: string;
  readonly strip: string;
  readonly stripHint: string;
  readonly curves: string;
  readonly curvesHint: string;
  readonly chartNorms: string;
  readonly chartRatio: string;
  readonly chartCosine: string;
  readonly curveReal: string;
  readonly curveFake: string;
  readonly curveDifference: string;
  readonly curveGrad: string;
  readonly atLevel: string;
}

/** What the host writes into the page. */
export const inspectorInitialSchema = z.object({
  texts: z.record(z.string(), z.string()).transform((all) => all as unknown as InspectorTexts),
  /** What to look at; null: what the page kept. */
  choice: inspectorChoiceSchema.nullable(),
});
