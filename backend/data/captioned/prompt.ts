/**
 * Reads what a prompt asks for: everything that captions say, and what people type who know the data set's words.
 *
 * The ground is the colour before a word for it ("on a blue ground") or after "ground is". What is left falls into clauses at
 * "and", "with" and punctuation; in a clause colour and size belong to the next word for a shape, a place to the one before it, or,
 * where there is none, to the next. A place alone after a comma belongs to the shape before that is without one.
 */
import {
  type ColourName,
  colourNames,
  placeNames,
  type ShapeName,
  type SizeName,
  shapeNames,
  sizeNames,
  type Wanted,
  type WantedThing,
} from './attributes.ts';
import {
  anyShapeWord,
  centreWords,
  colourWords,
  columnWords,
  fillers,
  groundWords,
  rowWords,
  shapeWords,
  sizeWords,
} from './words.ts';

export interface PromptReading {
  /** Null when the prompt asks for no shape, or for more than two. */
  readonly wanted: Wanted | null;
  /** Words that are not the data set's, and those that contradict earlier ones; in order. */
  readonly unread: readonly string[];
}

/** What a prompt asks for; null when it asks for no shape, or for more than two. */
export function wantedFromPrompt(prompt: string): Wanted | null {
  return readPrompt(prompt).wanted;
}

/** As `wantedFromPrompt`, and which words could not be read. */
export function readPrompt(prompt: string): PromptReading {
  // "upper-left" is two words, " - " a pause.
  const plain = prompt.toLowerCase().replace(/(?<=\p{L})-(?=\p{L})/gu, ' ');
  const words = plain.match(/[\p{L}\p{N}']+|[^\s]/gu) ?? [];
  const unread: string[] = [];
  const { ground, clauses } = takeGround(words, unread);
  const things: Draft[] = [];
  let next: Draft = {};
  for (const clause of clauses) {
    let current: Draft | undefined;
    for (const word of clause) {
      const meaning = meanings.get(word);
      if (meaning === undefined) unread.push(word);
      else if (meaning === 'filler') continue;
      else if ('shape' in meaning) {
        current = { ...next, ...meaning };
        things.push(current);
        next = {};
      } else {
        const to: Draft = current !== undefined && !('colour' in meaning) && !('size' in meaning) ? current : next;
        if (!add(to, meaning)) unread.push(word);
      }
    }
    const last = things.at(-1);
    const placeAlone = current === undefined && next.colour === undefined && next.size === undefined;
    if (placeAlone && last !== undefined && placeOf(last) === null) {
      Object.assign(last, next);
      next = {};
    }
  }
  const wanted = things.length === 1 || things.length === 2 ? { things: things.map(finished), ground } : null;
  return { wanted, unread };
}

/** What is known of a shape while its words are read. */
interface Draft {
  shape?: ShapeName | null;
  colour?: ColourName;
  size?: SizeName;
  /** 0, 1, 2. */
  row?: number;
  column?: number;
  centre?: true;
}

type Meaning = 'filler' | Draft;

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ...fillers.map((word) => [word, 'filler'] as const),
  ...groundWords.map((word) => [word, 'filler'] as const),
  ...colourNames.flatMap((colour) => colourWords[colour].map((word) => [word, { colour }] as const)),
  ...sizeNames.flatMap((size) => sizeWords[size].map((word) => [word, { size }] as const)),
  ...shapeNames.flatMap((shape) => shapeWords[shape].map((word) => [word, { shape }] as const)),
  [anyShapeWord, { shape: null }],
  ...Object.entries(rowWords).map(([word, row]) => [word, { row }] as const),
  ...Object.entries(columnWords).map(([word, column]) => [word, { column }] as const),
  ...centreWords.map((word) => [word, { centre: true }] as const),
]);

/** Adds one word's meaning; false when the draft says otherwise already. */
function add(to: Draft, meaning: Draft): boolean {
  for (const [key, value] of Object.entries(meaning)) {
    const known = to[key as keyof Draft];
    if (known !== undefined && known !== value) return false;
  }
  Object.assign(to, meaning);
  return true;
}

function placeOf({ row, column, centre }: Draft): WantedThing['place'] {
  if (row === undefined && column === undefined && centre === undefined) return null;
  return placeNames[3 * (row ?? 1) + (column ?? 1)]!;
}

function finished(draft: Draft): WantedThing {
  return { shape: draft.shape ?? null, colour: draft.colour ?? null, size: draft.size ?? null, place: placeOf(draft) };
}

const JOINTS = new Set(['and', 'with', ',', ';', '.', ':', '-', '/', '&', '+']);

/** Takes the words of the ground out and splits the others into clauses; where the ground was, a clause ends. */
function takeGround(words: readonly string[], unread: string[]) {
  const colourAt = (at: number) => {
    const meaning = meanings.get(words[at] ?? '');
    return meaning !== undefined && meaning !== 'filler' ? meaning.colour : undefined;
  };
  let ground: ColourName | null = null;
  const cut = new Set<number>();
  for (const [at, word] of words.entries()) {
    if (!groundWords.includes(word)) continue;
    const where = colourAt(at - 1) !== undefined ? at - 1 : words[at + 1] === 'is' ? at + 2 : -1;
    const colour = colourAt(where);
    cut.add(at);
    if (colour === undefined) continue;
    cut.add(where);
    if (ground === null || ground === colour) ground = colour;
    else unread.push(words[where]!);
  }
  const clauses: string[][] = [[]];
  for (const [at, word] of words.entries()) {
    if (cut.has(at) || JOINTS.has(word)) clauses.push([]);
    else clauses.at(-1)!.push(word);
  }
  return { ground, clauses };
}
