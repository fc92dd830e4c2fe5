/**
 * The loss a CLIP model is trained with (Radford et al., arXiv 2103.00020, section 2.3 and figure 3): of all texts of the batch
 * each image should choose its own, and each text its own image.
 */
import { gradients } from '../graph/gradients.ts';
import { Graph, type Tensor } from '../graph/graph.ts';
import {
  add,
  crossEntropy,
  div,
  equal,
  exp,
  matmul,
  max,
  mean,
  minimum,
  mul,
  reshape,
  sqrt,
  square,
  sum,
  transpose,
} from '../graph/ops/index.ts';
import {
  collectParameters,
  outputGradient,
  type ParameterLayout,
  type ParameterSource,
  parameterInputs,
} from '../graph/parameters.ts';
import type { TextImagePair } from '../nets/text-image-pair.ts';

/** The logarithm of what similarities are multiplied by: transformers' name. */
export const logitScale = 'logit_scale';
/** The most that similarities are multiplied by (section 2.5). */
const largestScale = 100;

/** The model's parameters, and the scale of the logits, which only training needs. */
export function clipLayout(model: TextImagePair): ParameterLayout {
  return collectParameters((source) => logits(model, source, clipInputs(source.graph, model, 1)));
}

/**
 * Inputs: parameters [N]; pixels [B, 3, side, side], ids [B, L] and end [B, L] as `TextImagePair` takes them.
 * Outputs: loss and accuracy [1], gradient [N] unless left out. Accuracy is the share of images that choose their own text.
 */
export function clipLossGraph(
  model: TextImagePair,
  layout: ParameterLayout,
  batch: number,
  { gradient = true }: { readonly gradient?: boolean } = {},
): Graph {
  const graph = new Graph();
  const parameters = parameterInputs(graph, 'parameters', layout);
  const { loss, accuracy } = clipLoss(logits(model, parameters, clipInputs(graph, model, batch)));
  graph.output('loss', reshape(loss, [1]));
  graph.output('accuracy', reshape(accuracy, [1]));
  if (gradient) outputGradient(layout, gradients(loss, parameters.tensors));
  return graph;
}

interface ClipInputs {
  readonly pixels: Tensor;
  readonly ids: Tensor;
  readonly end: Tensor;
}

function clipInputs(graph: Graph, { imageSide: side, maxTokens }: TextImagePair, batch: number): ClipInputs {
  return {
    pixels: graph.input('pixels', [batch, 3, side, side]),
    ids: graph.input('ids', [batch, maxTokens]),
    end: graph.input('end', [batch, maxTokens]),
  };
}

/** [B, B]: a row per image, a column per text. */
function logits(model: TextImagePair, source: ParameterSource, { pixels, ids, end }: ClipInputs): Tensor {
  const images = unit(model.embedImages(source, pixels));
  const texts = unit(model.embedTexts(source, ids, end));
  const scale = minimum(exp(source.get(logitScale, [], { kind: 'zeros' })), largestScale);
  return mul(matmul(images, texts, { transB: true }), scale);
}

/** Rows of length 1. */
function unit(x: Tensor): Tensor {
  return div(x, sqrt(sum(square(x), { axes: [1], keepDims: true })));
}

function clipLoss(similarities: Tensor): { loss: Tensor; accuracy: Tensor } {
  const [batch] = similarities.shape;
  const own = new Float32Array(batch * batch);
  for (let i = 0; i < batch; i++) own[i * (batch + 1)] = 1;
  const labels = similarities.graph.constant([batch, batch], own);
  const both = add(crossEntropy(similarities, labels), crossEntropy(transpose(similarities, [1, 0]), labels));
  const best = equal(similarities, max(similarities, { axes: [1], keepDims: true }));
  return { loss: mul(both, 0.5), accuracy: mul(mean(mul(best, labels)), batch) };
}
