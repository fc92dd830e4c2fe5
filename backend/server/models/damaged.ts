/** What there is to say of a model whose file is not understood. */
import { basename } from 'node:path';
import type { ModelInfo } from '../../protocol/rpc/images.ts';
import { type Lineage, runOf } from '../../runs/folder/lineage.ts';

export function damaged(model: string, path: string, bytes: number, problem: string): ModelInfo {
  const run = runOf(path);
  return {
    ...{ model, title: run ? basename(run) : basename(path), bytes, run, teacher: null },
    origin: originOf(model, path, { run, teacher: null, scenes: false }),
    ...{ role: 'generator', imageShape: null, classes: [], prompt: false, guidance: null, steps: 1, problem },
    ...{ samplers: [], sizeStep: null },
  };
}

export function originOf(model: string, path: string, { run }: Lineage): ModelInfo['origin'] {
  if (model.startsWith('builtin:')) return 'builtin';
  if (run) return 'run';
  return path.endsWith('.onnx') ? 'exported' : 'imported';
}
