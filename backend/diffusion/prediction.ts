/**
 * The algebra between what networks predict of x_t = alpha x + sigma noise: x itself ('sample'), the noise ('epsilon'),
 * v = alpha noise - sigma x ('v_prediction'; Salimans and Ho, arXiv 2202.00512) and the velocity of a flow, noise - x
 * ('velocity'). Written once, for whatever the numbers are: those of the host, or tensors of a graph.
 */

export const predictions = ['epsilon', 'v_prediction', 'sample', 'velocity'] as const;
export type Prediction = (typeof predictions)[number];

export interface Arithmetic<T> {
  add(a: T, b: T): T;
  sub(a: T, b: T): T;
  mul(a: T, b: T): T;
  div(a: T, b: T): T;
}

export const onNumbers: Arithmetic<number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
};

/**
 * The clean image behind x_t. At Stable Diffusion's last timestep 1/alpha is 14.65, so epsilon wants float32 everywhere and never
 * less; where alpha is 0 it tells nothing of the image.
 */
export function cleanFrom<T>(
  { add, sub, mul, div }: Arithmetic<T>,
  type: Prediction,
  xt: T,
  prediction: T,
  alpha: T,
  sigma: T,
): T {
  switch (type) {
    case 'epsilon':
      return div(sub(xt, mul(prediction, sigma)), alpha);
    case 'v_prediction':
      return sub(mul(xt, alpha), mul(prediction, sigma));
    case 'velocity':
      return div(sub(xt, mul(prediction, sigma)), add(alpha, sigma));
    case 'sample':
      return prediction;
  }
}

/** The noise in x_t. Infinite for `sample` where sigma is 0. */
export function noiseFrom<T>(
  { add, sub, mul, div }: Arithmetic<T>,
  type: Prediction,
  xt: T,
  prediction: T,
  alpha: T,
  sigma: T,
): T {
  switch (type) {
    case 'epsilon':
      return prediction;
    case 'v_prediction':
      return add(mul(xt, sigma), mul(prediction, alpha));
    case 'velocity':
      return div(add(xt, mul(prediction, alpha)), add(alpha, sigma));
    case 'sample':
      return div(sub(xt, mul(prediction, alpha)), sigma);
  }
}

/** What a perfect network would predict of this image and this noise: the target of its training. */
export function targetOf<T>({ sub, mul }: Arithmetic<T>, type: Prediction, clean: T, noise: T, alpha: T, sigma: T): T {
  switch (type) {
    case 'epsilon':
      return noise;
    case 'v_prediction':
      return sub(mul(noise, alpha), mul(clean, sigma));
    case 'velocity':
      return sub(noise, clean);
    case 'sample':
      return clean;
  }
}
