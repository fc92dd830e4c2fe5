/** The models that the editor can offer, and how further ones get here. */
import { isAbsolute } from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import { describeModel, importUNet, listModels, progress } from '../../protocol/rpc/index.ts';
import type { Server } from '../handler.ts';
import { registerHub } from './hub.ts';
import type { ModelDescriber } from './model-describer.ts';

export function registerModels(server: Server): void {
  registerHub(server);
  let describer: Promise<ModelDescriber> | null = null;
  const theDescriber = () => {
    describer ??= import('./model-describer.ts').then((module) => new module.ModelDescriber());
    return describer;
  };

  server.handle(listModels, async ({ roots, files }) => {
    const { modelNames } = await import('./model-names.ts');
    const describing = await theDescriber();
    return Promise.all(modelNames(roots, files).map((name) => describing.describe(name)));
  });
  server.handle(describeModel, async ({ model }) => {
    if (!model.startsWith('builtin:')) refuseRelative(model, 'Give a whole path, or a builtin: name.');
    return (await theDescriber()).describe(model);
  });
  const imports = new Set<Promise<unknown>>();
  server.handle(importUNet, async ({ id, ...wanted }, { signal, notify }) => {
    for (const path of [wanted.base, wanted.file, wanted.out]) refuseRelative(path, 'Give a whole path.');
    const { importInThread } = await import('./import-thread.ts');
    const stages = ['reading', 'writing'] as const;
    const tell = (label: (typeof stages)[number]) =>
      void notify(progress, { id, label, done: stages.indexOf(label), total: stages.length });
    const work = importInThread(wanted, tell, signal);
    imports.add(work);
    const { folder, parameters, key } = await work.finally(() => imports.delete(work));
    return { folder, parameters, key };
  });
  // The signal has ended them; what they wrote is still to be cleared.
  server.onEnd(async () => {
    (await describer)?.end();
    await Promise.allSettled(imports);
  });
}

/** The backend's own folder is nobody's idea of a starting point. */
function refuseRelative(path: string, hint: string): void {
  if (!isAbsolute(path)) throw new UserError('usage', `${path} is no absolute path`, hint);
}
