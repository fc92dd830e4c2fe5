/** The package ships no types for its Castagnoli variant. */
declare module 'crc-32/crc32c.js' {
  const crc32c: {
    /** The signed 32-bit CRC-32C of the bytes. */
    buf(data: Uint8Array, seed?: number): number;
  };
  export default crc32c;
}
