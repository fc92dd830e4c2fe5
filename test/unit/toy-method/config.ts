/** The toy's keys of a config. */
import { type Complain, type MethodSection, optimizerKeys, z } from '../../../backend/protocol/config/section.ts';

const keys = {
  grey: z.number().default(0.5).describe('The brightness to paint. Default 0.5.'),
  optimizer: z.strictObject(optimizerKeys(1e-2)).prefault({}),
};

export type ToyKeys = z.infer<z.ZodObject<typeof keys>>;

export const toySection = {
  title: 'A generator that paints everything in one grey.',
  keys,
  paths: [],
  opens: [],
  check({ grey }: ToyKeys, complain: Complain) {
    if (Math.abs(grey) > 1) complain(['grey'], 'is no brightness: -1 is black, 1 is white');
  },
} satisfies MethodSection<typeof keys>;
