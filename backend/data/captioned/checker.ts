/** Whether an image shows what a caption asks for: what is read from the pixels held against what is wanted. */
import type { TensorData } from '../../graph/tensor-data.ts';
import type { Wanted, WantedThing } from './attributes.ts';
import { type FoundScene, type FoundThing, readScene } from './read-scene.ts';

export interface CaptionVerdict {
  /** All of the following. */
  readonly right: boolean;
  /** Every colour that is asked for, the ground's too. */
  readonly colours: boolean;
  /** Every shape that is asked for, and no other. */
  readonly shapes: boolean;
  readonly places: boolean;
  readonly sizes: boolean;
  /** What the image shows. */
  readonly found: FoundScene;
}

/**
 * Holds an image ([3, 64, 64] or the same numbers flat, values near [-1, 1]) against what is wanted. What the caption leaves
 * open is right whatever it is, but a shape must be one of the captions' and have a colour with a name.
 */
export function checkCaptioned(image: TensorData | Float32Array, wanted: Wanted): CaptionVerdict {
  return compareScene(readScene(image), wanted);
}

/** As `checkCaptioned`, for an image that has been read already. */
export function compareScene(found: FoundScene, wanted: Wanted): CaptionVerdict {
  const none = { colours: 0, shapes: 0, places: 0, sizes: 0 };
  const best = found.reason === undefined ? bestPairing(found.things, wanted.things) : none;
  const all = wanted.things.length;
  const counted = found.things.length === all && found.reason === undefined;
  const grounded = found.ground !== null && (wanted.ground === null || wanted.ground === found.ground);
  const verdict = {
    colours: best.colours === all && grounded,
    shapes: best.shapes === all && counted,
    places: best.places === all,
    sizes: best.sizes === all,
  };
  return { right: Object.values(verdict).every(Boolean), ...verdict, found };
}

interface Matches {
  readonly colours: number;
  readonly shapes: number;
  readonly places: number;
  readonly sizes: number;
}

/** How many of each attribute are right when every wanted shape is looked for in the found shape that brings the most. */
function bestPairing(found: readonly FoundThing[], wanted: readonly WantedThing[]): Matches {
  const [first, ...rest] = wanted;
  if (first === undefined) return { colours: 0, shapes: 0, places: 0, sizes: 0 };
  const total = ({ colours, shapes, places, sizes }: Matches) => colours + shapes + places + sizes;
  // Leaving a shape unpaired is never better than a pairing, only all that is left when there are too few.
  let best = bestPairing([], rest);
  if (found.length > 0 && found.length < wanted.length) best = bestPairing(found, rest);
  for (const [i, thing] of found.entries()) {
    const others = bestPairing(found.toSpliced(i, 1), rest);
    const matches = {
      colours: others.colours + fits(first.colour, thing.colour),
      shapes: others.shapes + fits(first.shape, thing.shape),
      places: others.places + fits(first.place, thing.place),
      sizes: others.sizes + fits(first.size, thing.size),
    };
    if (total(matches) > total(best)) best = matches;
  }
  return best;
}

function fits(wanted: string | null, found: string | null): number {
  return Number(found !== null && (wanted === null || wanted === found));
}
