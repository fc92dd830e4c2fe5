/** A model in a few words: what it makes, from which run, and why it cannot be used. No weights are read where a header says it. */
import { basename } from 'node:path';
import { generatorCalls, type ModelRole, openModel, rolesOf } from '../../models/model-file.ts';
import { createNetwork, type Network } from '../../nets/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { parseJson } from '../../protocol/json.ts';
import type { ModelInfo } from '../../protocol/rpc/images.ts';
import { classNames, type Lineage, lineageOf } from '../../runs/folder/lineage.ts';
import { describeOnnx } from '../../sampling/onnx-model.ts';
import { isDiffusersFolder } from '../../weights/diffusers/index.ts';
import { underNetworkNames } from '../../weights/fitting.ts';
import { configKey } from '../../weights/load.ts';
import { namingFile } from '../../weights/refusal.ts';
import { readSafetensorsHeader } from '../../weights/safetensors.ts';
import { selectTensors } from '../../weights/select.ts';
import { damaged, originOf } from './damaged.ts';
import { describeText } from './describe-text.ts';

/** Sampler steps of a teacher where none are asked for: what EDM uses for CIFAR-10. */
const teacherSteps = 18;

const builtinTitles: Readonly<Record<string, string>> = {
  'builtin:scenes': 'Scenes, one-step generator',
  'builtin:scenes/generator': 'Scenes, one-step generator',
  'builtin:scenes/teacher': 'Scenes, teacher',
};

interface Facts {
  readonly network: Network;
  readonly role: ModelRole;
  readonly again: readonly number[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Says in `problem` what is wrong with a file, whatever that is: no file hides the other models.
 * @param path of the file or folder, which is there
 * @param bytes of the file
 */
export async function describe(model: string, path: string, bytes: number): Promise<ModelInfo> {
  try {
    if (isDiffusersFolder(path)) return describeText(model, path);
    const facts = await factsOf(model, path);
    const lineage = await lineageOf(model, facts.metadata);
    const { imageShape, labelDim } = facts.network;
    return {
      ...{ model, title: titleOf(model, path, lineage, facts), origin: originOf(model, path, lineage), bytes },
      ...{ role: facts.role, imageShape: [...imageShape], classes: classNames(labelDim, lineage), prompt: false },
      guidance: null,
      steps: facts.role === 'generator' ? generatorCalls(facts) : teacherSteps,
      ...{ samplers: [], sizeStep: null },
      run: lineage.run,
      teacher: facts.role === 'generator' ? lineage.teacher : null,
      problem: [1, 3].includes(imageShape[0]) ? '' : `Its images have ${imageShape[0]} channels: they are no pictures.`,
    };
  } catch (error) {
    if (error instanceof UserError) return damaged(model, path, bytes, `${error.message}. ${error.hint}`.trim());
    const why = error instanceof Error ? error.message : String(error);
    return damaged(model, path, bytes, `It cannot be described, which is a fault of DMD Workbench: ${why}`);
  }
}

async function factsOf(model: string, path: string): Promise<Facts> {
  if (path.endsWith('.onnx')) return describeOnnx(path);
  // A pickle has no header: it has to be read whole.
  if (!path.endsWith('.safetensors')) return openModel(model);
  const { entries, metadata } = await readSafetensorsHeader(path);
  if (metadata[configKey] === undefined) {
    const hint = 'Import files written by dmd teach or dmd distill, or EDM snapshots.';
    throw new UserError('weights', `${path} does not say which network its weights belong to`, hint);
  }
  const network = createNetwork(parse(metadata[configKey], path), { tensors: entries.length });
  const expected = new Map(network.layout.entries.map(({ name, shape }) => [name, shape]));
  const tensors = new Map(entries.map((entry) => [entry.name, entry]));
  selectTensors(namingFile(path, () => underNetworkNames(tensors, expected)).tensors, expected, path);
  return { network, metadata, ...rolesOf(metadata, path) };
}

function parse(json: string, path: string): unknown {
  try {
    return parseJson(json);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(
      'weights',
      `${path}: its metadata '${configKey}' is not JSON: ${why}`,
      'Write the file again.',
      {
        cause,
      },
    );
  }
}

function titleOf(model: string, path: string, { run }: Lineage, { role, metadata }: Facts): string {
  if (builtinTitles[model]) return builtinTitles[model];
  if (!run) return basename(path);
  const [step] = /^\d{1,15}$/.exec(metadata['dmd.step'] ?? '') ?? [];
  return `${basename(run)}, ${role}${step === undefined ? '' : ` of step ${step}`}`;
}
