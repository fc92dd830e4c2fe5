/** A GAN loss teaches only while the discriminator is sometimes wrong. */
import { medianOf, recent } from '../numbers.ts';
import { ganTags } from '../tags.ts';
import { figure, percent, type Rule } from './rule.ts';

/** Records until it can be judged. */
const least = 30;
/** Images that it takes for what they are: also at the highest noise levels, where nobody should know. */
const tooMany = 0.98;
/** The generator's loss of an image that is taken for generated with a chance of about 0.99. */
const lost = 4.5;

/** It wins outright: it is right of all but every image, and the generator's loss says that its chance to be believed is gone. */
export const discriminatorWins: Rule = {
  name: 'discriminator-wins',
  title: 'discriminator winning',
  reads: [ganTags.right],
  find(numbers) {
    const [right, loss] = [ganTags.right, ganTags.lossGan].map((tag) =>
      recent(numbers.curve(tag), numbers.lastStep, 0.25, least),
    );
    if (!right || !loss) return null;
    const [share, gan] = [medianOf(right), medianOf(loss)];
    if (share < tooMany || gan < lost) return null;
    return {
      ...{ severity: 'alarm', step: right.at(-1)!.step },
      statement: `The discriminator wins outright: since step ${right[0]!.step} it takes ${percent(share)} of all images for what they are, and the generator's GAN loss is ${figure(gan)} (0.69 where it cannot tell).`,
      advice:
        'Lower discriminator.lr, add a penalty (gan.r1), or take more real images: what it knows by heart teaches the generator nothing.',
    };
  },
};
