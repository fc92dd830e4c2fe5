/** Requests for scores: of checkpoints, which a thread of this process computes, and of a run as it is, which computes them itself. */
import { UserError } from '../../protocol/errors.ts';
import type { InspectionQuery } from '../../protocol/inspection.ts';
import { readPlane } from '../../protocol/rpc/asks.ts';
import { progress } from '../../protocol/rpc/images.ts';
import { decodeLatents, describeInspection, inspectScores } from '../../protocol/rpc/inspect.ts';
import { runRequests } from '../../protocol/run-requests.ts';
import { readLock } from '../../runs/folder/lock.ts';
import { requireRunFolder } from '../contained.ts';
import type { RequestContext, Server } from '../handler.ts';
import { idleTimer } from '../idle-timer.ts';
import type { LiveLinks } from '../runs/live-links.ts';
import type { InspectThread } from './inspect-thread.ts';

/** @param links to the runs that work */
export function registerInspect(server: Server, links: LiveLinks): void {
  let thread: Promise<InspectThread> | null = null;
  const theThread = () => {
    thread ??= import('./inspect-thread.ts').then((module) => new module.InspectThread());
    return thread;
  };
  const idle = idleTimer(async () => {
    const started = await thread;
    if (started?.started) await started.do({ type: 'release' }, () => {}, new AbortController().signal);
  });

  server.handle(describeInspection, async ({ id, folder }, context) => {
    const paths = requireRunFolder(folder);
    const work = { type: 'describe', folder: paths.folder } as const;
    const found = await idle.during(async () => (await theThread()).do(work, told(id, context), context.signal));
    return { ...found, live: isReachable(paths.folder) };
  });
  server.handle(inspectScores, async ({ id, folder, state, query }, context) => {
    const paths = requireRunFolder(folder);
    if (state === 'live') {
      told(id, context)('asking the run', 0, 1);
      return inspectLive(paths.folder, query, context.signal);
    }
    const work = { type: 'inspect', folder: paths.folder, step: state, query } as const;
    return idle.during(async () => (await theThread()).do(work, told(id, context), context.signal));
  });
  server.handle(readPlane, async ({ folder, params }, context) => {
    const paths = requireRunFolder(folder);
    const isThere = () => readLock(paths.folder) !== undefined;
    if (isThere()) {
      try {
        return await links.ask(paths.folder, runRequests.plane, params, context.signal);
      } catch (error) {
        // It ended meanwhile: its last checkpoint has what it would have said.
        if (isThere() || context.signal.aborted) throw error;
      }
    }
    const work = { type: 'plane', folder: paths.folder, question: params } as const;
    return idle.during(async () => (await theThread()).do(work, () => {}, context.signal));
  });
  server.handle(decodeLatents, async ({ id, folder, latents }, context) => {
    const work = { type: 'decode', folder: requireRunFolder(folder).folder, latents } as const;
    return idle.during(async () => (await theThread()).do(work, told(id, context), context.signal));
  });
  server.onEnd(async () => {
    idle.stop();
    await (await thread)?.end();
  });
}

function told(id: string, context: RequestContext) {
  return (label: string, done: number, total: number) => void context.notify(progress, { id, label, done, total });
}

function isReachable(folder: string): boolean {
  return (readLock(folder)?.contact ?? '') !== '';
}

/** Between two iterations of the run, which answers when it comes there. */
async function inspectLive(folder: string, query: InspectionQuery, signal: AbortSignal) {
  if (!readLock(folder)) {
    throw new UserError('io', `the run in ${folder} has ended: its state is gone`, 'Choose one of its checkpoints.');
  }
  const { connectRunIn } = await import('../../runs/live/link.ts');
  const link = await connectRunIn(folder);
  try {
    return await link.ask(runRequests.inspect, query, signal);
  } finally {
    link.close();
  }
}
