/** The programs of one DMD iteration of the built-in model, as graphs. */
import type { Graph } from '../../../backend/graph/graph.ts';
import { l2Distance } from '../../../backend/methods/common/distance.ts';
import { fakeScoreGraph, generatorGraph } from '../../../backend/methods/dmd/graphs.ts';
import { createNetwork } from '../../../backend/nets/index.ts';
import { updateGraph } from '../../../backend/training/update-graph.ts';
import { edmShape } from '../../unit/training/edm-distillation.ts';
import { batch, builtInNetwork } from './dmd-case.ts';

const network = createNetwork(builtInNetwork);
const shape = edmShape({
  ...{ network, batch, matching: { weight: 'eq8', realOnly: false } },
  regression: { batch, distance: l2Distance },
});

export const programs: readonly (readonly [name: string, graph: Graph])[] = [
  ['generator', generatorGraph(shape)],
  ['fake score', fakeScoreGraph(shape)],
  ["generator's update", updateGraph(network.layout, ['ema'])],
  ["fake score's update", updateGraph(network.layout, [])],
];
