/** The kernels of all operations, by name. Graph inputs and constants are the engine's business. */
import { convKernels } from './conv.ts';
import { elementwiseKernels } from './elementwise.ts';
import type { Kernels } from './kernel.ts';
import { layoutKernels } from './layout.ts';
import { normalizeKernels } from './normalize.ts';
import { poolKernels } from './pool.ts';
import { productKernels } from './products.ts';
import { resampleKernels } from './resample.ts';
import { tokenKernels } from './tokens.ts';

export const kernels: Kernels = {
  ...elementwiseKernels,
  ...layoutKernels,
  ...convKernels,
  ...resampleKernels,
  ...poolKernels,
  ...productKernels,
  ...normalizeKernels,
  ...tokenKernels,
};
