/** `dmd pairs` of a text-to-image teacher: PNDM with guidance, prompts from a file or of the captioned scenes. */

import type { Engine } from '../../engine/engine.ts';
import { TextEmbeddings } from '../../methods/dmd/latent/embeddings.ts';
import { makeTextPairs } from '../../methods/dmd/latent/pairs.ts';
import { readPrompts } from '../../methods/dmd/latent/prompts.ts';
import { openTextTeacher, teacherInputs } from '../../models/text/text-teacher.ts';
import { parseConfig } from '../../protocol/config/index.ts';
import { resolvePaths } from '../../runs/config-file.ts';

export interface TextPairsOptions {
  readonly teacher: string;
  readonly prompts: string | undefined;
  readonly guidance: number;
  readonly out: string;
  readonly count: number;
  readonly steps: number;
  readonly seed: number;
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal;
}

/** Opens and checks teacher and prompts; what it gives makes the pairs. Throws UserError. */
export async function openTextPairsJob({ teacher: name, prompts, guidance, seed, ...options }: TextPairsOptions) {
  const asked = {
    kind: 'distill',
    teacher: name,
    seed,
    text: { guidance, ...(prompts === undefined ? {} : { prompts }) },
  };
  const config = parseConfig(JSON.stringify(asked), 'the options of dmd pairs');
  const resolved = resolvePaths(config, process.cwd());
  if (resolved.kind !== 'distill') throw new Error('not a distillation');
  const teacher = openTextTeacher(resolved);
  const list = readPrompts(resolved);
  const { sha256 } = (await teacherInputs(teacher)).teacher!;
  return async (engine: Engine) => {
    const embeddings = new TextEmbeddings(engine, teacher);
    try {
      await makeTextPairs(options.out, {
        ...options,
        engine,
        teacher,
        sha256,
        embeddings,
        prompts: list,
        seed,
        guidance,
      });
    } finally {
      await embeddings.dispose();
    }
  };
}
