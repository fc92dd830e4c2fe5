/**
 * Classifier-free guidance (Ho and Salimans 2022): prediction = unconditional + scale (conditional - unconditional). In a doubled
 * batch the unconditional half comes first. A scale of 1 or less is no guidance: one call, conditional.
 */

/** Whether the network has to be called with the negative prompt as well. */
export function needsGuidance(scale: number): boolean {
  return scale > 1;
}

/** The guided prediction of two of one size. */
export function classifierFreeGuidance(
  unconditional: Float32Array,
  conditional: Float32Array,
  scale: number,
): Float32Array {
  if (!needsGuidance(scale)) return conditional.slice();
  return conditional.map((value, k) => unconditional[k]! + scale * (value - unconditional[k]!));
}

/** The guided prediction of a doubled batch [unconditional, conditional], flat. */
export function guideDoubled(predictions: Float32Array, scale: number): Float32Array {
  const half = predictions.length / 2;
  if (!Number.isInteger(half)) throw new Error(`guidance: ${predictions.length} numbers are no doubled batch`);
  return classifierFreeGuidance(predictions.subarray(0, half), predictions.subarray(half), scale);
}
