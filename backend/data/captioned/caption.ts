/** Writes the caption of a scene: varied wording, some attributes left out. */
import type { ColourName, Thing, Wanted, WantedThing } from './attributes.ts';
import type { Draws } from './draws.ts';
import { anyShapeWord, colourWords, groundWords, placePhrases, shapeWords, sizeWords } from './words.ts';

/** How often a caption leaves an attribute out. */
const omission = { size: 0.4, place: 0.15, colour: 0.05, shape: 0.03, ground: 0.1 } as const;

/** How often it uses another word than the attribute's own name. */
const SYNONYM = 0.2;

/**
 * A caption for shapes on a ground, and what it says.
 * @param whole names colour, shape and place of every shape, and the ground
 */
export function captionOf(
  things: readonly Thing[],
  ground: ColourName,
  whole: boolean,
  draws: Draws,
): { caption: string; wanted: Wanted } {
  const kept = <T>(value: T, omit: number, keep = false): T | null => (draws.chance(omit) && !keep ? null : value);
  const wanted = {
    things: things.map(
      (thing): WantedThing => ({
        shape: kept(thing.shape, omission.shape, whole),
        colour: kept(thing.colour, omission.colour, whole),
        size: kept(thing.size, omission.size),
        place: kept(thing.place, omission.place, whole),
      }),
    ),
    ground: kept(ground, omission.ground, whole),
  };
  return { caption: draws.pick(wanted.things.length === 1 ? single : double)(wanted, draws), wanted };
}

type Template = (wanted: Wanted, draws: Draws) => string;

/** Templates for one shape. */
const single: readonly Template[] = [
  ({ things, ground }, draws) => phrases(thing(things[0]!, draws), place(things[0]!, draws), onGround(ground, draws)),
  // "a red circle on the left of a blue ground"
  ({ things, ground }, draws) => {
    const where = place(things[0]!, draws);
    const joint = ground === null ? '' : where === '' ? 'on' : 'of';
    return phrases(thing(things[0]!, draws), where, joint, ground === null ? '' : groundPhrase(ground, draws));
  },
  ({ things, ground }, draws) => phrases(withGround(ground, draws), thing(things[0]!, draws), place(things[0]!, draws)),
  ({ things, ground }, draws) => phrases(place(things[0]!, draws), thing(things[0]!, draws), onGround(ground, draws)),
  ({ things, ground }, draws) =>
    phrases('there is', thing(things[0]!, draws), place(things[0]!, draws), onGround(ground, draws)),
  (wanted, draws) => tags(wanted, draws),
];

/** Templates for two shapes, in either order. */
const double: readonly Template[] = [
  ({ things, ground }, draws) => phrases(list(things, draws), onGround(ground, draws)),
  ({ things, ground }, draws) => phrases(list(things, draws), onGround(ground, draws)),
  ({ things, ground }, draws) => phrases(withGround(ground, draws), list(things, draws)),
  ({ things, ground }, draws) => {
    const each = shuffled(things, draws).map((one) => phrases(place(one, draws), thing(one, draws)));
    return phrases(each.join(draws.chance(0.5) ? ', ' : ' and '), onGround(ground, draws));
  },
  ({ things, ground }, draws) => phrases('there is', list(things, draws), onGround(ground, draws)),
  (wanted, draws) => tags(wanted, draws),
];

/** "red circle top left, blue background": as people type who are in a hurry. */
function tags({ things, ground }: Wanted, draws: Draws): string {
  const each = shuffled(things, draws).map((one) => phrases(bare(one, draws), one.place ?? ''));
  if (ground !== null) each.push(phrases(word(colourWords[ground], draws), draws.pick(groundWords)));
  return each.join(', ');
}

function list(things: readonly WantedThing[], draws: Draws): string {
  const each = shuffled(things, draws).map((one) => phrases(thing(one, draws), place(one, draws)));
  return each.join(draws.chance(0.8) ? ' and ' : ', ');
}

/** "a small red circle" */
function thing(wanted: WantedThing, draws: Draws): string {
  return withArticle(bare(wanted, draws));
}

function bare({ size, colour, shape }: WantedThing, draws: Draws): string {
  return phrases(
    size === null ? '' : word(sizeWords[size], draws),
    colour === null ? '' : word(colourWords[colour], draws),
    shape === null ? anyShapeWord : word(shapeWords[shape], draws),
  );
}

function place({ place: name }: WantedThing, draws: Draws): string {
  return name === null ? '' : draws.pick(placePhrases[name]);
}

/** "a blue ground" */
function groundPhrase(ground: ColourName, draws: Draws): string {
  return withArticle(phrases(word(colourWords[ground], draws), draws.pick(groundWords)));
}

function onGround(ground: ColourName | null, draws: Draws): string {
  return ground === null ? '' : `on ${groundPhrase(ground, draws)}`;
}

/** "blue background with", for what follows. */
function withGround(ground: ColourName | null, draws: Draws): string {
  if (ground === null) return '';
  const phrase = phrases(word(colourWords[ground], draws), draws.pick(groundWords));
  return `${draws.chance(0.5) ? phrase : withArticle(phrase)} with`;
}

/** The first word of a list, at times another. */
function word(words: readonly string[], draws: Draws): string {
  return draws.chance(SYNONYM) ? draws.pick(words) : words[0]!;
}

function shuffled(things: readonly WantedThing[], draws: Draws): readonly WantedThing[] {
  return draws.chance(0.5) ? things : things.toReversed();
}

function withArticle(phrase: string): string {
  return `${/^[aeiou]/.test(phrase) ? 'an' : 'a'} ${phrase}`;
}

/** Joins what is not empty. */
function phrases(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
