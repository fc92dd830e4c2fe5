/** InceptionV3's weights: what is taken from a file, what is refused, and that folding changes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sizeOf, type TensorData } from '../../backend/graph/tensor-data.ts';
import { inceptionLayout } from '../../backend/metrics/inception/network.ts';
import { inceptionFileTensors, inceptionWeights } from '../../backend/metrics/inception/weights.ts';
import { UserError } from '../../backend/protocol/errors.ts';

/** A file's tensors: all ones, but for one convolution's. */
function fileTensors(): Map<string, TensorData> {
  const one = (shape: readonly number[]) => ({ shape, data: new Float32Array(sizeOf(shape)).fill(1) });
  const tensors = new Map(inceptionFileTensors.map(({ name, shape }) => [name, one(shape)]));
  tensors.set('fc.weight', one([1008, 2048]));
  tensors.set('fc.bias', one([1008]));
  tensors.set('Mixed_7c.branch_pool.bn.num_batches_tracked', one([]));
  return tensors;
}
const refused = (part: RegExp) => (error: unknown) =>
  error instanceof UserError && error.kind === 'weights' && part.test(error.message);

test('94 convolutions with their norms, as in the published file', () => {
  assert.equal(inceptionFileTensors.length, 94 * 5);
  const kernels = inceptionFileTensors.filter(({ name }) => name.endsWith('.conv.weight'));
  assert.equal(
    kernels.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    21_751_136,
  );
});

test('the batch norm goes into kernel and bias', () => {
  const tensors = fileTensors();
  const name = 'Mixed_6b.branch7x7_2';
  const set = (part: string, value: number) => tensors.get(`${name}.bn.${part}`)!.data.fill(value, 3, 4);
  set('weight', 2);
  set('bias', 0.5);
  set('running_mean', -3);
  set('running_var', 0.249);
  const folded = inceptionWeights(tensors, 'a.pth');
  assert.deepEqual([...folded.keys()].sort(), inceptionLayout.entries.map((entry) => entry.name).sort());
  const { shape, data } = folded.get(`${name}.weight`)!;
  const row = sizeOf(shape.slice(1));
  assert.ok(Math.abs(data[3 * row]! - 4) < 1e-6 && Math.abs(data[4 * row - 1]! - 4) < 1e-6);
  assert.ok(Math.abs(data[4 * row]! - 1 / Math.sqrt(1.001)) < 1e-6);
  assert.ok(Math.abs(folded.get(`${name}.bias`)!.data[3]! - (0.5 + 12)) < 1e-5);
});

test('what is no weights of this network is refused, with the first name that shows it', () => {
  const missing = fileTensors();
  missing.delete('Mixed_5b.branch1x1.bn.running_var');
  assert.throws(
    () => inceptionWeights(missing, 'a.pth'),
    refused(/^a\.pth: 'Mixed_5b\.branch1x1\.bn\.running_var' is missing/),
  );

  const shape = fileTensors();
  shape.set('Conv2d_1a_3x3.conv.weight', { shape: [32, 3, 5, 5], data: new Float32Array(2400) });
  assert.throws(
    () => inceptionWeights(shape, 'a.pth'),
    refused(/\[32, 3, 5, 5\] where InceptionV3 has \[32, 3, 3, 3\]/),
  );

  const broken = fileTensors();
  broken.get('Mixed_7a.branch3x3_1.bn.bias')!.data[7] = Number.NaN;
  assert.throws(() => inceptionWeights(broken, 'a.pth'), refused(/'Mixed_7a\.branch3x3_1\.bn\.bias' holds NaN/));

  const negative = fileTensors();
  negative.get('Mixed_7a.branch3x3_1.bn.running_var')!.data[7] = -0.1;
  assert.throws(() => inceptionWeights(negative, 'a.pth'), refused(/negative variance/));

  const torchvision = fileTensors().set('AuxLogits.fc.weight', { shape: [1], data: new Float32Array(1) });
  assert.throws(() => inceptionWeights(torchvision, 'a.pth'), refused(/torchvision's InceptionV3/));
});
