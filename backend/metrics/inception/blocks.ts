/**
 * The blocks of InceptionV3 as FID knows them (Szegedy et al., arXiv 1512.00567; pytorch-fid's inception.py): those of
 * torchvision, but averages leave the padding out and the last block takes the largest of its neighbours. Names are
 * pytorch-fid's. A `Unit` is a convolution with its batch norm folded in, and a rectifier.
 */
import type { Tensor } from '../../graph/graph.ts';
import { averagePool2d, concat, conv2d, maxPool2d, relu } from '../../graph/ops/index.ts';
import type { ParameterSource } from '../../graph/parameters.ts';

type Kernel = readonly [height: number, width: number];

interface UnitOptions {
  readonly kernel?: Kernel;
  readonly stride?: number;
  /** Half the kernel around the image, so that it keeps its size; otherwise no padding. */
  readonly same?: boolean;
}

/** x [B, C, H, W] -> [B, out, ...]; parameters NAME.weight [out, C, kh, kw] and NAME.bias [out]. */
export function unit(
  p: ParameterSource,
  name: string,
  x: Tensor,
  out: number,
  { kernel: [height, width] = [1, 1], stride = 1, same = true }: UnitOptions = {},
): Tensor {
  const weight = p.get(`${name}.weight`, [out, x.shape[1], height, width], { kind: 'zeros' });
  const bias = p.get(`${name}.bias`, [out], { kind: 'zeros' });
  const [y, z] = same ? [(height - 1) / 2, (width - 1) / 2] : [0, 0];
  return x.graph.scope(name, () => relu(conv2d(x, weight, bias, { stride, padding: [y, z, y, z] })));
}

const square = (side: number) => ({ kernel: [side, side] as const });
/** Without padding, to about half the size. */
const halving = { kernel: [3, 3], stride: 2, same: false } as const;
const halvingPool = (x: Tensor) => maxPool2d(x, 3, { stride: 2 });
const neighbourMean = (x: Tensor) => averagePool2d(x, 3, { padding: 1 });
const neighbourMax = (x: Tensor) => maxPool2d(x, 3, { padding: 1 });

/** Mixed_5b to 5d. */
export function blockA(p: ParameterSource, name: string, x: Tensor, poolFeatures: number): Tensor {
  const of = (branch: string, ...rest: [Tensor, number, UnitOptions?]) => unit(p, `${name}.${branch}`, ...rest);
  const five = of('branch5x5_2', of('branch5x5_1', x, 48), 64, square(5));
  const double = of('branch3x3dbl_2', of('branch3x3dbl_1', x, 64), 96, square(3));
  const pooled = of('branch_pool', neighbourMean(x), poolFeatures);
  return concat([of('branch1x1', x, 64), five, of('branch3x3dbl_3', double, 96, square(3)), pooled], 1);
}

/** Mixed_6a: halves the image. */
export function blockB(p: ParameterSource, name: string, x: Tensor): Tensor {
  const of = (branch: string, ...rest: [Tensor, number, UnitOptions?]) => unit(p, `${name}.${branch}`, ...rest);
  const double = of('branch3x3dbl_2', of('branch3x3dbl_1', x, 64), 96, square(3));
  return concat([of('branch3x3', x, 384, halving), of('branch3x3dbl_3', double, 96, halving), halvingPool(x)], 1);
}

const across = { kernel: [1, 7] } as const;
const down = { kernel: [7, 1] } as const;

/** Mixed_6b to 6e; `width` is that of the 7x7 branches inside. */
export function blockC(p: ParameterSource, name: string, x: Tensor, width: number): Tensor {
  const of = (branch: string, ...rest: [Tensor, number, UnitOptions?]) => unit(p, `${name}.${branch}`, ...rest);
  const seven = of('branch7x7_2', of('branch7x7_1', x, width), width, across);
  let double = of('branch7x7dbl_1', x, width);
  double = of('branch7x7dbl_2', double, width, down);
  double = of('branch7x7dbl_3', double, width, across);
  double = of('branch7x7dbl_4', double, width, down);
  double = of('branch7x7dbl_5', double, 192, across);
  const pooled = of('branch_pool', neighbourMean(x), 192);
  return concat([of('branch1x1', x, 192), of('branch7x7_3', seven, 192, down), double, pooled], 1);
}

/** Mixed_7a: halves the image. */
export function blockD(p: ParameterSource, name: string, x: Tensor): Tensor {
  const of = (branch: string, ...rest: [Tensor, number, UnitOptions?]) => unit(p, `${name}.${branch}`, ...rest);
  const three = of('branch3x3_2', of('branch3x3_1', x, 192), 320, halving);
  const wide = of('branch7x7x3_2', of('branch7x7x3_1', x, 192), 192, across);
  const tall = of('branch7x7x3_3', wide, 192, down);
  return concat([three, of('branch7x7x3_4', tall, 192, halving), halvingPool(x)], 1);
}

/** Mixed_7b, whose pool is a mean, and Mixed_7c, whose pool is a maximum. */
export function blockE(p: ParameterSource, name: string, x: Tensor, pool: 'mean' | 'max'): Tensor {
  const of = (branch: string, ...rest: [Tensor, number, UnitOptions?]) => unit(p, `${name}.${branch}`, ...rest);
  const split = (branch: string, from: Tensor) => [
    of(`${branch}a`, from, 384, { kernel: [1, 3] }),
    of(`${branch}b`, from, 384, { kernel: [3, 1] }),
  ];
  const three = split('branch3x3_2', of('branch3x3_1', x, 384));
  const double = of('branch3x3dbl_2', of('branch3x3dbl_1', x, 448), 384, square(3));
  const pooled = of('branch_pool', pool === 'max' ? neighbourMax(x) : neighbourMean(x), 192);
  return concat([of('branch1x1', x, 320), ...three, ...split('branch3x3dbl_3', double), pooled], 1);
}

/** What comes before the mixed blocks uses it between them too. */
export { halvingPool };
