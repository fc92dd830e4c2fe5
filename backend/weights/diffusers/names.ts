/**
 * Names of tensors that differ between files of one and the same network: attention of old autoencoders, the prefix that
 * transformers wrote before version 5, and prefixes of training programs. Weights keep the network's own names inside.
 */

/** How old autoencoders call the layers of an attention (diffusers before 0.17). */
const oldAttention: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

/** Buffers that files may have and no network needs. */
export function isBuffer(name: string): boolean {
  return /(^|\.)position_ids$/.test(name);
}

/** Prefixes that hold a whole network: of transformers, Lightning, DataParallel and DMD's training code. */
const prefixes = ['text_model.', 'module.', 'model.', 'unet.', 'feedforward_model.', '_orig_mod.'];

/**
 * The network's name for each name of a file; those that fit nothing stay as they are, to be reported.
 * @param expected the network's names
 */
export function nameMap(file: Iterable<string>, expected: ReadonlySet<string>): Map<string, string> {
  const names = [...file].filter((name) => !isBuffer(name));
  const rename = renamer(names, expected);
  return new Map(names.map((name) => [name, rename(name)]));
}

function renamer(names: readonly string[], expected: ReadonlySet<string>): (name: string) => string {
  const modern = (name: string) => {
    const replaced = name.replace(/\.(query|key|value|proj_attn)\.(weight|bias)$/, (_, layer: string, part: string) => {
      return `.${oldAttention[layer]}.${part}`;
    });
    return expected.has(name) || !expected.has(replaced) ? name : replaced;
  };
  const ways: ((name: string) => string)[] = [modern];
  for (const prefix of prefixes) {
    ways.push((name) => modern(name.startsWith(prefix) ? name.slice(prefix.length) : name));
    ways.push((name) => modern(prefix + name));
  }
  const fitting = ways.map((way) => names.filter((name) => expected.has(way(name))).length);
  return ways[fitting.indexOf(Math.max(...fitting))]!;
}
