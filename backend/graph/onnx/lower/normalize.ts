/** Group normalisation in ONNX. Images are seen as [B, C, S], S positions, or with a group's numbers in one row. */

import type { Node } from '../../graph.ts';
import { sizeOf } from '../../tensor-data.ts';
import type { OnnxWriter } from '../writer.ts';
import type { Lowering, Lowerings } from './lowering.ts';

interface Rows {
  batch: number;
  channels: number;
  positions: number;
}

interface View extends Rows {
  groups: number;
  /** Rows of scale and shift: the batch, or 1 where all samples share them. */
  factors: number;
}

function viewOf(node: Node, scale: readonly number[]): View {
  const [batch, channels, ...rest] = node.inputs[0].shape;
  return {
    batch,
    channels,
    groups: node.attrs.groups as number,
    positions: sizeOf(rest),
    factors: scale.length === 1 ? 1 : batch,
  };
}

/** [batch * groups, the group's numbers] */
const byGroup = (writer: OnnxWriter, x: string, { batch, groups, channels, positions }: View) =>
  writer.reshape(x, [batch * groups, (channels / groups) * positions]);

/** [batch, channels, positions] */
const byChannel = (writer: OnnxWriter, x: string, { batch, channels, positions }: View) =>
  writer.reshape(x, [batch, channels, positions]);

/** One number per sample and group times one per channel (of each of `rows` samples): [batch, channels, 1]. */
function groupTimesChannel(writer: OnnxWriter, group: string, channel: string, view: View, rows: number): string {
  const { batch, groups, channels } = view;
  const a = writer.reshape(group, [batch, groups, 1]);
  const b = writer.reshape(channel, [rows, groups, channels / groups]);
  return writer.reshape(writer.op('Mul', [a, b]), [batch, channels, 1]);
}

/**
 * x [batch, channels, positions] times a factor plus a summand, each [batch or 1, channels, 1]. In one pass where the device has
 * BatchNormalization: every channel of every sample is a channel of its own there, of mean 0 and variance 1.
 */
function affine(writer: OnnxWriter, x: string, factor: string, summand: string, view: Rows): string {
  const { batch, channels, positions } = view;
  if (!writer.has('BatchNormalization')) return writer.op('Add', [writer.op('Mul', [x, factor]), summand]);
  const rows = batch * channels;
  const perRow = (numbers: string) =>
    writer.reshape(writer.op('Expand', [numbers, writer.ints([batch, channels, 1])]), [rows]);
  const [zero, one] = [0, 1].map((value) => writer.floats([rows], new Float32Array(rows).fill(value)));
  const inputs = [writer.reshape(x, [1, rows, positions]), perRow(factor), perRow(summand), zero!, one!];
  const result = writer.op('BatchNormalization', inputs, { epsilon: { float: 0 } });
  return writer.reshape(result, [batch, channels, positions]);
}

/**
 * One operator where the device has it and no gradient reads more than the result. As an instance normalisation each group is a channel of
 * its own with scale 1 and shift 0.
 */
const groupNorm: Lowering = (writer, node, inputs) => {
  const [, centred, inverseStd] = node.outputs;
  const alone = !writer.needs(centred) && !writer.needs(inverseStd);
  if (alone && node.inputs[1].shape.length === 1 && writer.has('GroupNormalization')) {
    const { groups, epsilon } = node.attrs as { groups: number; epsilon: number };
    const attributes = { num_groups: groups, epsilon: { float: epsilon } };
    return [writer.op('GroupNormalization', inputs, attributes), '', ''];
  }
  if (!alone || !writer.has('InstanceNormalization')) return writtenOut(writer, node, inputs);
  const [x, scale, shift] = inputs;
  const { batch, channels, groups, positions, factors } = viewOf(node, node.inputs[1].shape);
  const byGroup = writer.reshape(x, [batch, groups, (channels / groups) * positions]);
  const [one, zero] = [1, 0].map((value) => writer.floats([groups], new Float32Array(groups).fill(value)));
  const epsilon = { float: node.attrs.epsilon as number };
  const normal = writer.op('InstanceNormalization', [byGroup, one, zero], { epsilon });
  const [factor, summand] = [scale, shift].map((value) => writer.reshape(value, [factors, channels, 1]));
  const rows = { batch, channels, positions };
  const result = affine(writer, writer.reshape(normal, [batch, channels, positions]), factor!, summand!, rows);
  return [writer.reshape(result, node.inputs[0].shape), '', ''];
};

/** Two passes (mean, then squares of the differences): a single pass loses digits where the mean is large. */
const writtenOut: Lowering = (writer, node, [x, scale, shift]) => {
  const view = viewOf(node, node.inputs[1].shape);
  const flat = byGroup(writer, x, view);
  const centred = writer.op('Sub', [flat, writer.reduce('ReduceMean', flat, [1])]);
  const variance = writer.reduce('ReduceMean', writer.op('Mul', [centred, centred]), [1]);
  const shifted = writer.op('Add', [variance, writer.scalar(node.attrs.epsilon as number)]);
  const inverseStd = writer.op('Reciprocal', [writer.op('Sqrt', [shifted])]);
  const { shape } = node.inputs[0];
  return [
    fromCentred(writer, view, [centred, inverseStd, scale, shift], shape),
    writer.reshape(centred, shape),
    writer.reshape(inverseStd, node.outputs[2].shape),
  ];
};

/** The result from the centred image, inverse deviation, scale and shift. */
function fromCentred(writer: OnnxWriter, view: View, inputs: readonly string[], shape: readonly number[]): string {
  const [centred, inverseStd, scale, shift] = inputs as [string, string, string, string];
  const factor = groupTimesChannel(writer, inverseStd, scale, view, view.factors);
  const summand = writer.reshape(shift, [view.factors, view.channels, 1]);
  return writer.reshape(affine(writer, byChannel(writer, centred, view), factor, summand, view), shape);
}

const groupNormAgain: Lowering = (writer, node, inputs) => [
  fromCentred(writer, viewOf(node, node.inputs[2]!.shape), inputs, node.inputs[0]!.shape),
];

/**
 * With n = r (x - mean), r the inverse deviation, w the scale, and means over a group:
 * d loss / d x = r w dy - r mean(w dy) - r n mean(w dy n). All sums come from two per channel: of dy, and of dy (x - mean).
 */
const groupNormGrad: Lowering = (writer, node, [centred, inverseStd, scale, dy]) => {
  const { shape } = node.inputs[0];
  const view = viewOf(node, node.inputs[2].shape);
  const { batch, groups, channels, positions, factors } = view;
  const gradient = byChannel(writer, dy, view);
  const image = byChannel(writer, centred, view);
  const sumDy = writer.reduce('ReduceSum', gradient, [2]);
  const sumDyImage = writer.reduce('ReduceSum', writer.op('Mul', [gradient, image]), [2]);
  const sumDyNormal = groupTimesChannel(writer, inverseStd, sumDyImage, view, batch);

  const overGroup = (sums: string) => {
    const grouped = writer.reshape(sums, [batch, groups, channels / groups]);
    const weighted = writer.op('Mul', [grouped, writer.reshape(scale, [factors, groups, channels / groups])]);
    const total = writer.reduce('ReduceSum', weighted, [2]);
    const share = writer.op('Mul', [total, writer.scalar(groups / (channels * positions))]);
    return writer.op('Mul', [share, writer.reshape(inverseStd, [batch, groups, 1])]);
  };
  const slope = writer.op('Mul', [overGroup(sumDyNormal), writer.reshape(inverseStd, [batch, groups, 1])]);
  const ofGroups = { batch, channels: groups, positions: (channels / groups) * positions };
  const grouped = writer.reshape(centred, [batch, groups, ofGroups.positions]);
  const less = affine(writer, grouped, slope, overGroup(sumDy), ofGroups);
  const direct = writer.op('Mul', [gradient, groupTimesChannel(writer, inverseStd, scale, view, factors)]);
  const dx = writer.op('Sub', [writer.reshape(direct, shape), writer.reshape(less, shape)]);

  const perFactor = (sums: string) => {
    const all = factors === 1 ? writer.reduce('ReduceSum', sums, [0]) : sums;
    return writer.reshape(all, node.inputs[2].shape);
  };
  return [dx, perFactor(sumDyNormal), perFactor(sumDy)];
};

export const normalizeLowerings: Lowerings = { groupNorm, groupNormAgain, groupNormGrad };
