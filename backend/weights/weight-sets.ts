/**
 * Which weights are meant where a file holds several sets of them: the average over training rather than the last step, the
 * generator rather than its critic. Sets go by the keys that lead to them, whether those are nested dictionaries
 * (`generator_ema` -> weights) or beginnings of names (`generator_ema.conv_in.weight`).
 */
import { refuse } from './refusal.ts';

/** The keys that lead to one set of weights, [] where it is the whole file. */
export type SetPath = readonly string[];

/** Where people keep weights, best first; for keys that say nothing more, or say nothing of what they belong to. */
const usualKeys = [
  'ema',
  'model_ema',
  'ema_state_dict',
  'params_ema',
  'state_dict',
  'model_state_dict',
  'model',
  'module',
  'net',
  'network',
  'generator',
  'params',
  'weights',
];

/** Words of a key that do not say whose weights they are. */
const idleWords =
  'state,dict,params,parameters,weight,weights,model,module,net,network,online,raw,current,live,copy,diffusion,' +
  'exponential,moving,running,decay,rate,callback,callbacks';
const idle = new Set(idleWords.split(','));
/** The last step beside its average, where both lie in the average's own state. */
const rawWords = new Set(['online', 'raw', 'current', 'live']);
const averageWords = new Set([
  'avg',
  'average',
  'averaged',
  'averages',
  'averaging',
  'emas',
  'swa',
  'polyak',
  'shadow',
  // As mean teachers, consistency models and value networks have it.
  'target',
  'mean',
  'smooth',
  'smoothed',
  'smoothing',
  'lagged',
  'lagging',
  'delayed',
  'slow',
]);
/**
 * Whose weights they may be without another word, where several networks lie side by side. DMD2's checkpoints have their generator
 * as `feedforward_model` beside both scores in `guidance_model`.
 */
const wanted = ['', 'generator', 'g', 'student', 'feedforward', 'unet', 'denoiser'];

/** 'netG_ema' -> net, g, ema; numbers, such as a rate of averaging, are left out. */
function wordsOf(key: string): string[] {
  const apart = key.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  return apart.split(/[^a-z]+/).filter((word) => word !== '');
}

function saysAverage(word: string): boolean {
  return averageWords.has(word) || /^ema|ema$/.test(word);
}

/** Whether the keys say that the weights are averaged over training, in any spelling of it. */
export function isAverage(path: SetPath): boolean {
  const last = path.findLast((key) => wordsOf(key).some((word) => saysAverage(word) || rawWords.has(word)));
  return last !== undefined && wordsOf(last).some(saysAverage);
}

/** Whether a key is one under which weights are expected, so that tensors beside it are no weights themselves. */
export function isUsualKey(key: string): boolean {
  return usualKeys.includes(key) || isAverage([key]);
}

/** Whose weights they are: 'generator' for both `generator` and `generator_ema`, '' where the keys do not say. */
function ownerOf(path: SetPath): string {
  const words = path.flatMap(wordsOf).filter((word) => !averageWords.has(word));
  const others = words.map((word) => word.replace(/^ema|ema$/g, ''));
  return others.filter((word) => word !== '' && !idle.has(word)).join(' ');
}

/**
 * The set that is meant. Refuses, naming them, where there is no telling.
 * @param sets at least one
 * @param key what the person asks for: the keys that lead there, or some of them in a row, with dots between
 */
export function chooseSet<S extends { readonly path: SetPath }>(sets: readonly S[], key?: string): S {
  if (key !== undefined) return askedFor(sets, key);
  const owners = new Set(sets.map(({ path }) => ownerOf(path)));
  const owner = wanted.find((name) => owners.has(name)) ?? [...owners][0]!;
  if (owners.size > 1 && !wanted.includes(owner)) refuseSeveral(sets);
  const own = sets.filter(({ path }) => ownerOf(path) === owner);
  const averages = own.filter(({ path }) => isAverage(path));
  const orphans = owner === '' ? sets.filter((set) => isOrphan(set, sets)) : [];
  return mostUsual([averages, orphans, own].find((some) => some.length > 0)!);
}

/** `g_ema` beside `model`: an average of what is wanted, whose own last step is not there, is that of the one without an owner. */
function isOrphan<S extends { readonly path: SetPath }>({ path }: S, sets: readonly S[]): boolean {
  const owner = ownerOf(path);
  const isOfIt = (other: S) => ownerOf(other.path) === owner && !isAverage(other.path);
  return isAverage(path) && wanted.includes(owner) && !sets.some(isOfIt);
}

/** Of several sets of one network. */
function mostUsual<S extends { readonly path: SetPath }>(sets: readonly S[]): S {
  if (sets.length === 1) return sets[0]!;
  const ranks = sets.map(({ path }) => usualKeys.indexOf(path[0] ?? '')).map((rank) => (rank < 0 ? Infinity : rank));
  const best = Math.min(...ranks);
  const first = sets[ranks.indexOf(best)]!;
  if (ranks.filter((rank) => rank === best).length > 1) refuseSeveral(sets);
  return first;
}

function askedFor<S extends { readonly path: SetPath }>(sets: readonly S[], key: string): S {
  const exact = sets.find(({ path }) => path.join('.') === key);
  const holding = sets.filter(({ path }) => `.${path.join('.')}.`.includes(`.${key}.`));
  if (exact || holding.length === 1) return (exact ?? holding[0])!;
  const there = sets.map(({ path }) => nameOfSet(path)).join(', ');
  return refuse(`it has no weights under '${key}' alone, but ${there}`, 'Name one of these with --key.');
}

function refuseSeveral(sets: readonly { readonly path: SetPath }[]): never {
  const names = sets.map(({ path }) => nameOfSet(path)).join(' and ');
  return refuse(`it holds several sets of weights, ${names}`, 'Name one with --key, or save it on its own.');
}

/** The keys of a set and of others that would have fitted, in words: "'ema' (there too: model)". */
export function takenSet(key: string, others: readonly string[]): string {
  const taken = key === '' ? 'no key' : `'${key}'`;
  return others.length === 0 ? taken : `${taken} (there too: ${others.join(', ')})`;
}

/** In words for a person. */
export function nameOfSet(path: SetPath): string {
  return path.length === 0 ? 'the whole file' : path.join('.');
}
