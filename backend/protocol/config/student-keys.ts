/** Keys of methods that train a generator alone, beside a frozen teacher and without a score of its own. */
import { emaKey, every, optimizerKeys } from './common.ts';
import { initialKey, qualityKey, samplesKeys } from './matching-keys.ts';
import { z } from './zod.ts';

/** @param learningRate default. @param ema default decay of the averaged weights */
export const studentKey = (learningRate: number, ema: number) =>
  z
    .strictObject({ ...optimizerKeys(learningRate), ema: emaKey(ema), initial: initialKey })
    .prefault({})
    .describe('The generator and its optimizer (AdamW).');

export const lpipsKeys = {
  lpipsWeights: z
    .string()
    .min(1)
    .optional()
    .describe("File with LPIPS' weights (version 0.1 on VGG16); needed for lpips."),
  vggWeights: z
    .string()
    .min(1)
    .optional()
    .describe("torchvision's vgg16 file, where lpipsWeights has only LPIPS' own linear layers."),
};

const recordKeys = {
  ...samplesKeys,
  fieldsEvery: every(500, 'Record what a training batch was: images, noisy images, predictions'),
  histogramsEvery: every(500, "Record histograms of the generator's weights and gradient"),
  healthEvery: every(
    25,
    "Record what health is judged by: the samples of fixed noise beside the teacher's, the noise of the gradient",
  ),
  quality: qualityKey,
  budgetMB: z
    .number()
    .nonnegative()
    .meta({ unit: 'MB' })
    .default(500)
    .describe('Disk for recorded fields, in MB; older steps are thinned out. Default 500.'),
};

const recorded = 'What is recorded beside the loss curves, which have every iteration.';

export const studentRecordKey = z.strictObject(recordKeys).prefault({}).describe(recorded);

/** Of a method that learns the ends of its teacher's paths. */
export const pathRecordKey = z
  .strictObject({
    ...recordKeys,
    probeEvery: every(
      100,
      "Record the probe: how far what the generator makes of points of fixed paths is from the paths' ends, level by level",
    ),
  })
  .prefault({})
  .describe(recorded);

export const againKey = (what: string) =>
  z
    .strictObject({
      at: z
        .array(z.number().nonnegative().meta({ unit: 'data units or timesteps' }))
        .max(15)
        .default([])
        .describe(what),
    })
    .prefault({})
    .describe('In how many steps the finished generator is sampled; it is trained at every level, whatever they are.');

/** @param usual what the default is, and whose */
export const targetKey = (usual: string) =>
  z
    .strictObject({
      decay: z
        .number()
        .min(0)
        .lt(1)
        .default(0.95)
        .describe(
          'Decay mu per update of the target, the average of the generator that it is compared with; 0: the generator itself. ' +
            usual,
        ),
    })
    .prefault({})
    .describe('The target network, at the lower of both levels.');
