/**
 * The requests that make a stopped run go, or a running one stop. A step inside of a stage moves a cursor there; the run goes on where
 * the stage ends.
 */
import { z } from '../protocol/config/zod.ts';
import { debugRequests } from '../protocol/debug-requests.ts';
import { UserError } from '../protocol/errors.ts';
import type { Go } from './debuggee.ts';
import { AdapterError } from './errors.ts';
import { enter } from './inside.ts';
import { checked, type Handlers } from './request.ts';
import type { Target } from './target.ts';

const anything = z.object({});

export function controlHandlers(target: Target): Handlers {
  const go = (how: Go) => async () => {
    await target.go(how);
    return undefined;
  };
  return {
    continue: async () => {
      await target.go({ to: 'continue' });
      return { allThreadsContinued: true };
    },
    pause: async (_, { signal }) => {
      if (!target.stopped) await target.debuggee.ask(debugRequests['debug/pause'], {}, signal);
      return undefined;
    },
    next: () => step(target, 1),
    stepBack: () => step(target, -1),
    ...checked('stepIn', z.object({ targetId: z.int().optional() }), ({ targetId }, { signal }) =>
      stepIn(target, targetId, signal),
    ),
    stepOut: async () => {
      if (target.inside.length === 0) await target.go({ to: 'continue' });
      else leave(target);
      return undefined;
    },
    /** There is nothing to run backwards to but the beginning of the iteration, which is computed from the same draws. */
    reverseContinue: go({ to: 'restart', keep: true }),
    ...checked('restartFrame', anything, go({ to: 'restart', keep: false })),
    ...checked('stepInTargets', z.object({ frameId: z.int() }), async (_, { signal }) => {
      const targets = (await scopesHere(target, signal)).map(({ text, id }) => ({ id, label: text }));
      return { targets };
    }),
    ...checked(
      'gotoTargets',
      z.object({
        source: z.object({ path: z.string().optional(), sourceReference: z.number().optional() }),
        line: z.int(),
      }),
      ({ source, line }) => {
        const at = target.source.is(source) ? target.source.stageFrom(target.client.fromLine(line)) : undefined;
        if (!at) return { targets: [] };
        return { targets: [{ id: at.line, label: `after ${at.stage}`, line: target.client.line(at.line) }] };
      },
    ),
    ...checked('goto', z.object({ targetId: z.int() }), async ({ targetId }) => {
      const at = target.source.stageFrom(targetId);
      if (!at) throw new AdapterError('unknownReference', { reference: `${targetId}` });
      await target.go({ to: 'stage', stage: at.stage });
      return undefined;
    }),
  };
}

/** @param by 1 forwards, -1 backwards */
async function step(target: Target, by: 1 | -1): Promise<undefined> {
  void target.stop;
  const frame = target.inside.at(-1);
  if (!frame) {
    await target.go({ to: by === 1 ? 'next' : 'back' });
    return undefined;
  }
  const line = frame.line + by;
  if (line < 0 || line >= frame.lines.length) leave(target);
  else {
    target.inside = [...target.inside.slice(0, -1), { ...frame, line }];
    target.stepped();
  }
  return undefined;
}

/** Into the stage on whose line the run stands, or into the block on the cursor's line; over it where there is nothing inside. */
async function stepIn(target: Target, targetId: number | undefined, signal: AbortSignal): Promise<undefined> {
  void target.stop;
  const scope = targetId === undefined ? scopeHere(target) : (await scopesHere(target, signal))[targetId - 1]?.scope;
  if (scope === undefined) throw new AdapterError('unknownReference', { reference: `${targetId}` });
  if (scope === null) return step(target, 1);
  try {
    target.inside = [...target.inside, await enter(target, scope, signal)];
  } catch (error) {
    if (!(error instanceof UserError) || error.kind !== 'usage') throw error;
    return step(target, 1);
  }
  target.stepped();
  return undefined;
}

/** '' for a stage as a whole; null: nothing inside. */
function scopeHere({ inside, stop }: Target): string | null {
  const frame = inside.at(-1);
  return frame ? (frame.lines[frame.line]?.scope ?? null) : stop.stage === null ? null : '';
}

/** What can be entered from the line where the run, or the cursor, stands. */
async function scopesHere(target: Target, signal: AbortSignal) {
  const frame = target.inside.at(-1);
  const { stage } = target.stop;
  const lines = frame
    ? frame.lines.slice(frame.line, frame.line + 1)
    : stage === null
      ? []
      : await blocks(target, signal);
  const scopes = lines.flatMap(({ scope, text }) => (scope === null ? [] : [{ scope, text: text.trim() }]));
  return scopes.map((one, i) => ({ ...one, id: i + 1 }));
}

async function blocks(target: Target, signal: AbortSignal) {
  try {
    return (await enter(target, '', signal)).lines;
  } catch (error) {
    if (error instanceof UserError && error.kind === 'usage') return [];
    throw error;
  }
}

function leave(target: Target): void {
  target.inside = target.inside.slice(0, -1);
  target.stepped();
}
