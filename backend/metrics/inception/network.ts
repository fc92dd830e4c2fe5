/**
 * InceptionV3 as FID uses it: the network of pytorch-fid's file pt_inception-2015-12-05-6726825d.pth, up to its 2048
 * features. Parameters are NAME.weight and NAME.bias with the batch norm folded in; `weights.ts` makes them of the file.
 */
import type { Graph, Tensor } from '../../graph/graph.ts';
import { mean } from '../../graph/ops/index.ts';
import { collectParameters, type ParameterLayout, type ParameterSource } from '../../graph/parameters.ts';
import { blockA, blockB, blockC, blockD, blockE, halvingPool, unit } from './blocks.ts';

/** Side of the images the network was trained on and takes here. */
export const inceptionSide = 299;
export const inceptionFeatureCount = 2048;

export interface InceptionOutputs {
  /** [B, 64, 73, 73], [B, 192, 35, 35] and [B, 768, 17, 17]: pytorch-fid's blocks 0 to 2. */
  readonly blocks: readonly [Tensor, Tensor, Tensor];
  /** [B, 2048]: block 3, pool3 of the original, what FID is taken over. */
  readonly features: Tensor;
}

/** images [B, 3, 299, 299], from -1 to 1. */
export function inception(p: ParameterSource, images: Tensor): InceptionOutputs {
  const three = { kernel: [3, 3] } as const;
  let x = unit(p, 'Conv2d_1a_3x3', images, 32, { ...three, stride: 2, same: false });
  x = unit(p, 'Conv2d_2a_3x3', x, 32, { ...three, same: false });
  const block0 = halvingPool(unit(p, 'Conv2d_2b_3x3', x, 64, three));

  x = unit(p, 'Conv2d_3b_1x1', block0, 80);
  const block1 = halvingPool(unit(p, 'Conv2d_4a_3x3', x, 192, { ...three, same: false }));

  x = blockA(p, 'Mixed_5b', block1, 32);
  x = blockA(p, 'Mixed_5c', x, 64);
  x = blockA(p, 'Mixed_5d', x, 64);
  x = blockB(p, 'Mixed_6a', x);
  x = blockC(p, 'Mixed_6b', x, 128);
  x = blockC(p, 'Mixed_6c', x, 160);
  x = blockC(p, 'Mixed_6d', x, 160);
  const block2 = blockC(p, 'Mixed_6e', x, 192);

  x = blockD(p, 'Mixed_7a', block2);
  x = blockE(p, 'Mixed_7b', x, 'mean');
  x = blockE(p, 'Mixed_7c', x, 'max');
  return { blocks: [block0, block1, block2], features: mean(x, { axes: [2, 3] }) };
}

export function inceptionInput(graph: Graph, batch: number): Tensor {
  return graph.input('images', [batch, 3, inceptionSide, inceptionSide]);
}

/** The folded parameters. */
export const inceptionLayout: ParameterLayout = collectParameters((p) => inception(p, inceptionInput(p.graph, 1)));
