/**
 * float16 (IEEE binary16) and bfloat16 against float32, bit for bit as PyTorch and NumPy convert: rounding to nearest,
 * ties to even; subnormals, signed zeros and infinities kept; a NaN keeps its sign and its leading payload bits.
 */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The largest finite float16. From 65520 on, rounding gives infinity. */
export const largestHalf = 65504;

/** The 16 bits of the float16 nearest to a float32. */
export function floatToHalf(value: number): number {
  float[0] = value;
  return floatBitsToHalf(bits[0]);
}

function floatBitsToHalf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13);
  const exponent = magnitude >>> 23;
  // Below half of the smallest subnormal (2^-25, which is a tie and goes to the even zero).
  if (exponent < 102) return sign;
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, 126 - exponent);
}

/** The float32 that 16 bits of float16 stand for; exact. */
export function halfToFloat(half: number): number {
  bits[0] = halfToFloatBits(half);
  return float[0];
}

/** The 16 bits of the bfloat16 nearest to a float32. */
export function floatToBfloat(value: number): number {
  float[0] = value;
  const word = bits[0];
  if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
  return ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The float32 that 16 bits of bfloat16 stand for; exact. */
export function bfloatToFloat(bfloat: number): number {
  bits[0] = bfloat << 16;
  return float[0];
}

/** float16 bits of every float32 in `values`. */
export function floatsToHalves(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) out[i] = floatBitsToHalf(words[i]);
  return out;
}

/** The float32 values of float16 bits. */
export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(halves.length);
  widenHalves(halves, out);
  return out;
}

/**
 * Writes the float32 values of float16 bits. Through the bits: storing a number may change a NaN's payload.
 * @param out of the same length
 * @returns whether all are finite
 */
export function widenHalves(halves: Uint16Array, out: Float32Array): boolean {
  const words = new Int32Array(out.buffer, out.byteOffset, out.length);
  let finite = true;
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const magnitude = half & 0x7fff;
    // One comparison for all but subnormals, zeros, infinities and NaN: their bits move, and the exponent's bias is 112 more.
    if ((magnitude - 0x400) >>> 0 < 0x7800) words[i] = ((half & 0x8000) << 16) | ((magnitude << 13) + 0x38000000);
    else {
      words[i] = halfToFloatBits(half) | 0;
      if (magnitude >= 0x7c00) finite = false;
    }
  }
  return finite;
}

/** Whether none of them is NaN or infinite. */
export function areFinite(values: Float32Array): boolean {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  let carries = 0;
  for (let i = 0; i < words.length; i++) carries |= (words[i] & 0x7fffffff) + 0x800000;
  return carries >= 0;
}

/** Rounds every float32 in `values` to the nearest float16, in place. */
export function roundToHalves(values: Float32Array): void {
  values.set(halvesToFloats(floatsToHalves(values)));
}

/** The float32 values of bfloat16 bits. */
export function bfloatsToFloats(bfloats: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(bfloats.length);
  widenBfloats(bfloats, out);
  return out;
}

/** Writes the float32 values of bfloat16 bits into `out`, which is of the same length. */
export function widenBfloats(bfloats: Uint16Array, out: Float32Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bfloats.length; i++) words[i] = bfloats[i] << 16;
}

function halfToFloatBits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 31) return (sign | 0x7f800000 | (fraction << 13)) >>> 0;
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // A subnormal, fraction * 2^-24: move its leading one to where float32 implies it.
  const shift = Math.clz32(fraction) - 21;
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)) >>> 0;
}

/** value / 2^shift, to nearest, ties to even. A carry into the exponent is the right result. */
function roundShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return rest > tie || (rest === tie && (kept & 1) === 1) ? kept + 1 : kept;
}
