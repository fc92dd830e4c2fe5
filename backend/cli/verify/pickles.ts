/**
 * Kind `pickles`: PyTorch files. Good ones must give the expected tensors exactly, hostile and damaged ones must be
 * refused, and the network in a snapshot must compute what the original computed.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { Graph } from '../../graph/graph.ts';
import { constantParameters } from '../../graph/parameters.ts';
import { createNetwork, parseNetworkConfig } from '../../nets/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { readEdmSnapshot } from '../../weights/edm-snapshot.ts';
import { loadWeights } from '../../weights/load.ts';
import { toFloat32 } from '../../weights/stored-tensor.ts';
import { readTorchFile } from '../../weights/torch/read.ts';
import { type Case, limitOf } from './case.ts';
import { type Comparison, compare, fact, missing, type NumberArray } from './compare.ts';
import type { Kind, KindContext } from './kind.ts';
import { select } from './parameters.ts';
import { expectations } from './pickle-expectations.ts';
import { numbers, readArrays } from './read-arrays.ts';
import { runOnce } from './run-once.ts';

const filesSchema = z.record(z.string(), z.string());
const exact = { relative: 0 };

export const pickles: Kind = async (context) => {
  const { case: theCase } = context;
  const files = theCase.part(filesSchema, theCase.json.files, 'files');
  const arrays = new Map<string, NumberArray>();
  const further: Comparison[] = [];
  for (const [name, expectation] of expectations(files)) {
    const path = join(theCase.folder, name);
    if (expectation.refused) {
      further.push(await refusal(name, path));
      continue;
    }
    const { tensors, values } = expectation;
    const expected = tensors ? await readArrays(join(theCase.folder, tensors)) : values;
    further.push(await sameTensors(name, path, expected));
    if (!theCase.expects('D') || !(await isSnapshot(path))) continue;
    const { same, denoised } = await runSnapshot(context, path);
    further.push(fact(`${name}: constructor arguments`, same, same ? '' : 'other than config.net says'));
    const { array, spec } = theCase.expected.find((entry) => entry.name === 'D')!;
    if (arrays.has('D')) further.push(compare(`${name}: D`, denoised, array, limitOf(spec)));
    else arrays.set('D', denoised);
  }
  return { arrays, scalars: new Map(), further };
};

/** A refusal is one a person can read; anything else thrown is a crash, and reading it is worse. */
async function refusal(name: string, path: string): Promise<Comparison> {
  try {
    await loadWeights(path);
  } catch (error) {
    const refused = error instanceof UserError && error.kind === 'weights';
    return fact(`${name}: refused`, refused, refused ? '' : `it broke instead: ${(error as Error).message}`);
  }
  return fact(`${name}: refused`, false, 'it was read');
}

/** One comparison for all tensors of a file; the worst one speaks. Integers count in full, floats as float32. */
async function sameTensors(
  name: string,
  path: string,
  expected: ReadonlyMap<string, NumberArray> | undefined,
): Promise<Comparison> {
  let found: Map<string, NumberArray>;
  try {
    const { tensors } = await readTorchFile(path);
    const isFloat = (dtype: string) => dtype.startsWith('F') || dtype === 'BF16';
    found = new Map([...tensors].map(([key, t]) => [key, isFloat(t.dtype) ? toFloat32(t) : numbers(t)]));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return missing(name, exact, `refused: ${error.message}`);
  }
  if (!expected) return fact(name, found.size > 0, `${found.size} tensors read`);
  const surplus = [...found.keys()].find((key) => !expected.has(key));
  if (surplus) return missing(name, exact, `it has '${surplus}', which is not expected`);
  let worst = 0;
  for (const [key, array] of expected) {
    const actual = found.get(key);
    if (!actual) return missing(name, exact, `'${key}' is missing`);
    const result = compare(key, actual, array, exact);
    if (!result.ok) return { ...result, name, note: `'${key}' differs${result.note && `: ${result.note}`}` };
    worst = Math.max(worst, result.absolute ?? 0);
  }
  return { name, ok: true, absolute: worst, relative: worst, limit: exact, note: `${expected.size} tensors` };
}

async function isSnapshot(path: string): Promise<boolean> {
  const { config } = await loadWeights(path).catch(() => ({ config: undefined }));
  return config !== undefined;
}

/** The network of a snapshot on the case's inputs, and whether its arguments are those of config.net. */
async function runSnapshot({ case: theCase, engine }: KindContext, path: string) {
  const { initKwargs, tensors } = await readEdmSnapshot(path);
  const network = createNetwork(initKwargs);
  const floats = new Map([...tensors].map(([name, tensor]) => [name, toFloat32(tensor)]));
  const graph = new Graph();
  const source = constantParameters(graph, select(network.layout, floats, '', path));
  const feeds = snapshotInputs(theCase, network.imageShape, network.labelDim);
  const { x, sigma, class_labels: labels } = feeds;
  const tensor = (name: string, shape: readonly number[]) => graph.input(name, shape);
  const labelTensor = labels ? tensor('class_labels', labels.shape) : null;
  graph.output('D', network.denoise(source, tensor('x', x.shape), tensor('sigma', sigma.shape), labelTensor));
  const denoised = (await runOnce(engine, graph, feeds)).get('D')!;
  const same = JSON.stringify(network.config) === JSON.stringify(parseNetworkConfig(theCase.json.config.net));
  return { same, denoised };
}

function snapshotInputs(theCase: Case, imageShape: readonly number[], labelDim: number) {
  const x = theCase.input('x', [-1, ...imageShape]);
  const [batch] = x.shape;
  const labelled = labelDim > 0 && theCase.has('class_labels');
  return {
    x,
    sigma: theCase.input('sigma', [batch]),
    ...(labelled ? { class_labels: theCase.input('class_labels', [batch, labelDim]) } : {}),
  };
}
