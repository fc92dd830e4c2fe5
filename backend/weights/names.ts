/**
 * Names of tensors that differ between files of one and the same network: attention of old autoencoders, the prefix that
 * transformers wrote before version 5, and what training programs put before and into names. A file may hold several
 * networks of the same names, one beside the other. Weights keep the network's own names inside.
 */
import { isAverage, type SetPath } from './weight-sets.ts';

/** How old autoencoders call the layers of an attention (diffusers before 0.17). */
const oldAttention: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

/** What PyTorch's wrappers (compiled, FSDP, recomputing, data parallel) insert anywhere in a name. */
const wrappers = ['_orig_mod', '_fsdp_wrapped_module', '_fpw_module', '_checkpoint_wrapped_module', 'module'];

/** Buffers that files may have and no network needs; the second kind counts what an average was made of. */
function isBuffer(name: string): boolean {
  return /(^|\.)(position_ids|n_averaged|num_updates|decay|initted|step)$/.test(name);
}

type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** One way to read the names of a file: those that begin alike, without that beginning. */
export interface Naming {
  /** The beginning, without wrappers. */
  readonly path: SetPath;
  /** The network's name for each name of the file; those that fit nothing are there too, to be reported. */
  readonly names: ReadonlyMap<string, string>;
  /** Whether there is every tensor that the network has, in its shape. */
  readonly fits: boolean;
}

/**
 * The ways to read a file's names as those of a network: all that fit or, where none does, the one that comes nearest.
 * @param expected the network's names and shapes
 */
export function namingsOf(file: Shapes, expected: ReadonlyMap<string, readonly number[]>): Naming[] {
  const names = [...file.keys()].filter((name) => !isBuffer(name));
  const plain = plainer(expected);
  const groups = new Map<string, Map<string, string>>([['', new Map()]]);
  for (const name of names) {
    for (const [prefix, known] of plain.readings(name)) {
      const group = groups.get(prefix) ?? new Map<string, string>();
      groups.set(prefix, group.set(name, known));
    }
  }
  const isWhole = (group: ReadonlyMap<string, string>) => {
    const right = [...group].filter(([name, known]) => sameShape(file.get(name)!.shape, expected.get(known)!));
    return new Set(right.map(([, known]) => known)).size === expected.size;
  };
  const whole = [...groups].filter(([, group]) => isWhole(group));
  const nearest = [...groups].reduce((best, group) => (group[1].size > best[1].size ? group : best));
  const taken = whole.length > 0 ? whole : [nearest];
  return taken.map(([prefix, group]) => {
    // Under no prefix, what belongs to another whole network is no tensor too many.
    const others = whole.filter(([other]) => other !== prefix && other.startsWith(prefix)).map(([, other]) => other);
    const rest = names.filter((name) => !group.has(name) && !others.some((other) => other.has(name)));
    const odd = rest.map((name) => [name, plain.bare(name)] as const).filter(([, bare]) => bare.startsWith(prefix));
    return {
      path: prefix.split('.').filter((part) => part !== ''),
      names: new Map([...group, ...odd.map(([name, bare]) => [name, bare.slice(prefix.length)] as const)]),
      fits: whole.length > 0,
    };
  });
}

/** Reads single names: every place where a name of the network may begin. */
function plainer(expected: ReadonlyMap<string, readonly number[]>) {
  const segments = new Set([...expected.keys()].flatMap((name) => name.split('.')));
  const foreign = new Set(wrappers.filter((wrapper) => !segments.has(wrapper)));
  const bare = (name: string) =>
    name
      .split('.')
      .filter((part) => !foreign.has(part))
      .join('.');
  // A file may lack the first word that all of the network's names share, as in text_model.encoder...
  const [first = ''] = [...expected.keys()][0]?.split('.') ?? [];
  const isShared = [...expected.keys()].every((name) => name.startsWith(`${first}.`));
  const known = (name: string, prefix: string) => {
    if (expected.has(name)) return name;
    const whole = `${first}.${name}`;
    return isShared && expected.has(whole) && !`.${prefix}`.endsWith(`.${first}.`) ? whole : undefined;
  };
  const modern = (name: string) =>
    name.replace(/\.(query|key|value|proj_attn)\.(weight|bias)$/, (_, layer: string, part: string) => {
      return `.${oldAttention[layer]}.${part}`;
    });
  const dotless = new Map([...expected.keys()].map((name) => [name.replaceAll('.', ''), name]));
  /** Averages as latent diffusion's code keeps them: a buffer each, and names of buffers have no dots. */
  const joined = (name: string): [prefix: string, known: string][] => {
    const [, head, rest] = /^((?:.*\.)?)([^.]+)$/.exec(name)!;
    if (dotless.size < expected.size || !isAverage(head!.split('.'))) return [];
    return Array.from(rest!, (_, i) => [head + rest!.slice(0, i), dotless.get(rest!.slice(i))] as const).flatMap(
      ([prefix, found]) => (found === undefined ? [] : [[prefix, found] as [string, string]]),
    );
  };
  const readings = (name: string): [prefix: string, known: string][] => {
    const plain = bare(name);
    const starts = [0, ...Array.from(plain.matchAll(/\./g), ({ index }) => index + 1)];
    const apart = starts.flatMap((start) => {
      const [prefix, rest] = [plain.slice(0, start), plain.slice(start)];
      const found = known(rest, prefix) ?? known(modern(rest), prefix);
      return found === undefined ? [] : [[prefix, found] as [string, string]];
    });
    return apart.length > 0 ? apart : joined(plain);
  };
  return { bare, readings };
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
