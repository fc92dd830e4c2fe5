/** What a prompt in the palette asks for: one image, by the model that is used for prompts. Knows no `vscode`. */
import { type Form, keepingSeed } from '../../backend/protocol/panels/generate-form.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';

/** Those that can draw from a prompt. */
export function textModels(models: readonly ModelInfo[]): ModelInfo[] {
  return models.filter((info) => info.prompt && info.problem === '');
}

/** The one named, else the built-in generator, else the first that can be used. */
export function textModel(models: readonly ModelInfo[], named: string): ModelInfo | undefined {
  const usable = textModels(models);
  return (
    usable.find(({ model }) => model === named) ??
    usable.find(({ steps, model }) => steps === 1 && model.startsWith('builtin:')) ??
    usable[0]
  );
}

/** One image of the prompt. @param before the form as it is remembered */
export function promptForm(before: Form, asked: Form, { model, steps }: ModelInfo): Form {
  const own = model === asked.model ? asked.steps : null;
  const single = { count: 1, steps: steps === 1 ? null : own, beside: false, asGrid: false };
  return keepingSeed(before, { ...asked, model, ...single });
}
