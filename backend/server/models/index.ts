/** The models that the editor can offer. */
import { isAbsolute } from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import { describeModel, listModels } from '../../protocol/rpc/images.ts';
import type { Server } from '../handler.ts';
import type { ModelDescriber } from './describe.ts';

export function registerModels(server: Server): void {
  let describer: Promise<ModelDescriber> | null = null;
  const theDescriber = () => {
    describer ??= import('./describe.ts').then((module) => new module.ModelDescriber());
    return describer;
  };

  server.handle(listModels, async ({ roots, files }) => {
    const { modelNames } = await import('./model-names.ts');
    const describing = await theDescriber();
    return Promise.all(modelNames(roots, files).map((name) => describing.describe(name)));
  });
  server.handle(describeModel, async ({ model }) => {
    if (!model.startsWith('builtin:') && !isAbsolute(model)) {
      throw new UserError('usage', `${model} is no absolute path`, 'Give a whole path, or a builtin: name.');
    }
    return (await theDescriber()).describe(model);
  });
}
