/** The captioned scenes as training data: one or two shapes on a ground, 64 x 64 pixels, with a caption each. */
import { choice, whole } from './common.ts';
import { z } from './zod.ts';

export const captionedData = (count: number) =>
  z
    .strictObject({
      source: z
        .literal('captioned-scenes')
        .default('captioned-scenes')
        .describe('captioned-scenes: pictures with captions, drawn when needed. Default captioned-scenes.'),
      seed: whole(0, '').default(0).describe('Which scenes: another seed is another set of the same kind. Default 0.'),
      scenes: choice({
        all: 'One or two shapes of any colours.',
        'light-on-dark':
          'One shape of a light colour on a dark ground: where words for places are learnt most easily, since a place means a lighter part there.',
      })
        .default('all')
        .describe('What they show. Default all.'),
      count: whole(1, 'images').default(count).describe(`How many of them. Default ${count}.`),
    })
    .prefault({})
    .describe(
      'Training images with their captions; combinations that are held out for measuring are never among them.',
    );

/** Where the tokens of captions come from. */
export const vocabularyKeys = (usual: string) => ({
  tokenizer: z.string().min(1).optional().describe(`Folder of CLIP's vocab.json and merges.txt. ${usual}`),
  vocabulary: whole(514, 'tokens')
    .default(1000)
    .describe(
      'Size of a vocabulary that is made from the captions, at most: 514 bytes and marks, then what words are merged from, ' +
        'until every word is a token. Default 1000.',
    ),
});
