/** Requests for pictures, and the other work of the thread that makes them. What computes is loaded when first asked. */
import { isAbsolute } from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import {
  exportModel,
  generateImages,
  imagePreview,
  progress,
  readForeignPng,
  readPngSettings,
  releaseModels,
} from '../../protocol/rpc/images.ts';
import type { RequestContext, Server } from '../handler.ts';
import { idleTimer } from '../idle-timer.ts';
import type { ImageThread } from './image-thread.ts';
import type { Report } from './work.ts';

export function registerImages(server: Server): void {
  let thread: Promise<ImageThread> | null = null;
  const theThread = () => {
    thread ??= import('./image-thread.ts').then((module) => new module.ImageThread());
    return thread;
  };
  const release = async (signal: AbortSignal) => {
    const started = await thread;
    const nobody = { progress: () => {}, preview: () => {} };
    if (started?.started) await started.do({ type: 'release' }, nobody, signal);
  };
  const idle = idleTimer(() => release(new AbortController().signal));

  server.handle(generateImages, async ({ id, settings, metadata }, context) => {
    refuseRelative(settings.model);
    const { chooseDevice } = await import('../../engine/devices.ts');
    if (settings.device === 'auto') told(id, context).progress('choosing a device', 0, settings.seeds.length);
    const { device, why } = await chooseDevice({ device: settings.device });
    const work = { type: 'generate', settings, metadata, device, why } as const;
    return idle.during(async () => (await theThread()).do(work, told(id, context), context.signal));
  });
  server.handle(exportModel, async ({ id, model, file }, context) => {
    refuseRelative(model);
    refuseRelative(file);
    const work = { type: 'export', model, file } as const;
    return idle.during(async () => (await theThread()).do(work, told(id, context), context.signal));
  });
  server.handle(readPngSettings, async ({ png }) => {
    const { readPictureSettings } = await import('../../sampling/picture-text.ts');
    return readPictureSettings(png);
  });
  server.handle(readForeignPng, async ({ png }) => {
    const { readForeignSettings } = await import('../../sampling/picture-text.ts');
    return readForeignSettings(png);
  });
  server.handle(releaseModels, async (_, { signal }) => {
    await release(signal);
    return null;
  });
  server.onEnd(async () => {
    idle.stop();
    await (await thread)?.end();
  });
}

function told(id: string, context: RequestContext): Report {
  return {
    progress: (label, done, total) => context.notify(progress, { id, label, done, total }),
    preview: (step, steps, png) => context.notify(imagePreview, { id, step, steps, png }),
  };
}

/** The backend's own folder is nobody's idea of a starting point. */
function refuseRelative(name: string): void {
  if (name.startsWith('builtin:') || isAbsolute(name)) return;
  throw new UserError('usage', `${name} is no absolute path`, 'Give a whole path, or a builtin: name.');
}
