/** Writes IDX files for tests: unsigned bytes of given dimensions. */
export function idx(dims: readonly number[], bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4 + 4 * dims.length);
  head[2] = 8;
  head[3] = dims.length;
  dims.forEach((side, i) => {
    head.writeUInt32BE(side, 4 + 4 * i);
  });
  return Buffer.concat([head, bytes]);
}
