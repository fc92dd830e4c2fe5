/** Models that come from elsewhere: from the Hugging Face hub, and made of a base and a UNet file. Progress by id. */
import { z } from '../config/zod.ts';
import { oneStepPredictions } from '../one-step.ts';
import { isRepositoryName } from '../repository-name.ts';
import { path, request } from './define.ts';

const repository = z.string().refine(isRepositoryName, { message: 'a name like ORGANISATION/NAME' });

/** Which hub would be asked, and where downloads go. Asks nobody. */
export const hubPlace = request(
  'hub/place',
  z.object({}),
  z.object({
    /** E.g. huggingface.co. */
    host: z.string(),
    /** The folder that Python programs share. */
    cache: path,
    /** Bytes free on its disk; null where the system does not say. */
    free: z.number().nullable(),
    /** Whether the person's HF_TOKEN goes along. */
    login: z.boolean(),
  }),
);

export const hubOfferSchema = z.object({
  /** '' for the full precision, fp16 for half of it. */
  variant: z.enum(['', 'fp16']),
  files: z.int(),
  bytes: z.number(),
  /** How many of the bytes are in the cache already. */
  here: z.number(),
});
export type HubOffer = z.infer<typeof hubOfferSchema>;

/** Asks the hub what a model is made of; fetches its index alone. At least one offer. */
export const planDownload = request('hub/plan', z.object({ repository }), z.array(hubOfferSchema).min(1), null);

/** Fetches a model into the cache, or the rest of it where an earlier download was broken off. Progress in bytes. */
export const downloadModel = request(
  'hub/download',
  z.object({ id: z.string(), repository, variant: hubOfferSchema.shape.variant }),
  z.object({ folder: path, bytes: z.number() }),
  null,
);

/** Makes a one-step model of a text-to-image model and the UNet that was distilled from it. */
export const importUNet = request(
  'models/importUNet',
  z.object({
    id: z.string(),
    /** A model folder. */
    base: path,
    /** Weights: safetensors or a PyTorch file. */
    file: path,
    /** The folder to make; empty or not there. */
    out: path,
    /** How the generator is called, where not as its base: at its last timestep, of which it predicts what the base predicts. */
    timestep: z.int().min(0).optional(),
    prediction: z.enum(oneStepPredictions).optional(),
  }),
  z.object({
    folder: path,
    parameters: z.number(),
    /** The keys of the file that led to the weights; '' where they were all that it held. */
    key: z.string().default(''),
  }),
  null,
);
