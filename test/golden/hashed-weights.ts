/** The integer hash that recorded cases without a weights file draw their weights from (`weight_formula`). */

/** Value i is rule(u_i) rounded to float32, u_i uniform in [0, 1) by FNV-1a of the name and MurmurHash3's finaliser. */
export function hashedWeight(name: string, count: number, rule: (u: number) => number): Float32Array {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    values[i] = rule(((x ^ (x >>> 16)) >>> 0) / 4294967296);
  }
  return values;
}
