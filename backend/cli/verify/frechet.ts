/** Kind `frechet-distance`: means, covariances and the distance of given features. */
import { z } from 'zod';
import { featureStatistics } from '../../metrics/feature-statistics.ts';
import { frechetDistance } from '../../metrics/frechet.ts';
import type { Limit, NumberArray } from './compare.ts';
import type { Kind } from './kind.ts';

const setsSchema = z.array(z.looseObject({ name: z.string() }));

/** The distance of a set to itself is rounding noise around 0: the reference data asks to compare it absolutely. */
const selfLimit: Limit = { absolute: 1e-4 };

export const frechet: Kind = async ({ case: theCase }) => {
  const sets = theCase.part(setsSchema, theCase.json.config.sets, 'config.sets');
  const arrays = new Map<string, NumberArray>();
  const scalars = new Map<string, number>();
  const limits = new Map<string, Limit>();
  for (const { name } of sets) {
    const statistics = [1, 2].map((i) => featureStatistics(theCase.input(`${name}.features${i}`, [-1, -1])));
    statistics.forEach(({ mean, covariance }, i) => {
      const dims = mean.length;
      arrays.set(`${name}.mu${i + 1}`, { shape: [dims], data: mean });
      arrays.set(`${name}.sigma${i + 1}`, { shape: [dims, dims], data: covariance });
    });
    const [first, second] = statistics;
    scalars.set(`${name}.fid`, frechetDistance(first, second));
    scalars.set(`${name}.fid_self`, frechetDistance(first, first));
    if (theCase.json.scalars[`${name}.fid_self`]?.tolerance === undefined) limits.set(`${name}.fid_self`, selfLimit);
  }
  return { arrays, scalars, limits };
};
