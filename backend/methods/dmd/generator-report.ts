/** What the generator's half of an iteration hands out beside its gradient, whatever the images are: scores and numbers to look at. */
import type { Graph, Tensor } from '../../graph/graph.ts';
import { concat, div, mean, mul, reshape, square } from '../../graph/ops/index.ts';
import { sizeOf } from '../../graph/tensor-data.ts';
import { type MatchingInputs, matchingGradient, meanDistance } from './matching.ts';

/** What `report` holds, in order. Entries of a loss that is switched off are 0. */
export const generatorReport = [
  'lossMatching',
  'lossRegression',
  'gradientMean',
  'residualReal',
  'residualFake',
] as const;

export interface MatchingOutputs {
  /** d loss / d x: grad divided by batch and size. */
  readonly imageGradient: Tensor;
  readonly report: Readonly<Record<Exclude<(typeof generatorReport)[number], 'lossRegression'>, Tensor>>;
}

/** Declares the outputs xt, muReal, grad and, where there is a fake score, muFake; without one mu_fake is x itself. */
export function matchingOutputs(
  xt: Tensor,
  inputs: Omit<MatchingInputs, 'muFake'> & { readonly muFake: Tensor | null },
): MatchingOutputs {
  const { x, muReal } = inputs;
  const muFake = inputs.muFake ?? x;
  const grad = matchingGradient({ ...inputs, muFake });
  const { graph } = x;
  graph.output('xt', xt);
  graph.output('muReal', muReal);
  if (inputs.muFake) graph.output('muFake', muFake);
  graph.output('grad', grad);
  return {
    imageGradient: div(grad, sizeOf(x.shape)),
    report: {
      // 0.5 mean((x - stopgrad(x - grad))^2)
      lossMatching: mul(mean(square(grad)), 0.5),
      gradientMean: mean(grad),
      residualReal: mean(meanDistance(x, muReal)),
      residualFake: mean(meanDistance(x, muFake)),
    },
  };
}

/** Declares the output report [5]. Null: without distribution matching, or without regression. */
export function outputReport(graph: Graph, matching: MatchingOutputs | null, lossRegression: Tensor | null): void {
  const report: Partial<Record<(typeof generatorReport)[number], Tensor>> = { ...matching?.report };
  if (lossRegression) report.lossRegression = lossRegression;
  const zero = graph.constant([], [0]);
  graph.output(
    'report',
    concat(
      generatorReport.map((name) => reshape(report[name] ?? zero, [1])),
      0,
    ),
  );
}
