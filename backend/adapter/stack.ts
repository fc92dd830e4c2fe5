/**
 * The requests `threads`, `stackTrace`, `source`, `loadedSources` and `breakpointLocations`: where the run stands, and the listings. A
 * frame is the algorithm's, on the line that has just run, or lies inside that line's stage.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from '../protocol/config/zod.ts';
import { AdapterError } from './errors.ts';
import type { InsideFrame } from './node.ts';
import { checked, type Handlers } from './request.ts';
import { type Target, threadId } from './target.ts';

/** The algorithm's frame; those inside it count on from there. */
export const algorithmFrame = 1;

/** The frame inside a stage; undefined for the algorithm's. Throws for one that is not there now. */
export function frameOf(target: Target, frameId: number): InsideFrame | undefined {
  void target.stop;
  if (frameId === algorithmFrame) return undefined;
  const frame = target.inside[frameId - algorithmFrame - 1];
  if (!frame) throw new AdapterError('unknownReference', { reference: `${frameId}` });
  return frame;
}

const sourceSchema = z.object({
  name: z.string().optional(),
  path: z.string().optional(),
  sourceReference: z.number().optional(),
});

export function stackHandlers(target: Target): Handlers {
  const { client } = target;
  return {
    threads: () => ({ threads: target.begun ? [{ id: threadId, name: 'training' }] : [] }),
    ...checked(
      'stackTrace',
      z.object({ startFrame: z.int().min(0).default(0), levels: z.int().min(0).default(0) }),
      ({ startFrame, levels }) => {
        const frames = [
          ...target.inside.map((frame, i) => insideFrame(target, frame, i)).reverse(),
          stageFrame(target),
        ];
        const end = levels === 0 ? undefined : startFrame + levels;
        return { stackFrames: frames.slice(startFrame, end), totalFrames: frames.length };
      },
    ),
    ...checked(
      'source',
      z.object({ source: sourceSchema.optional(), sourceReference: z.int().default(0) }),
      ({ source, sourceReference }) => ({
        content: textOf(target, source?.sourceReference || sourceReference, source),
        mimeType: 'text/x-dmd-listing',
      }),
    ),
    loadedSources: () => ({ sources: [target.source.asSource(client), ...target.sources.list()] }),
    ...checked(
      'breakpointLocations',
      z.object({ source: sourceSchema, line: z.int(), endLine: z.int().optional() }),
      ({ source, line, endLine = line }) => {
        if (!target.source.is(source)) return { breakpoints: [] };
        const [first, last] = [client.fromLine(line), client.fromLine(endLine)];
        const lines = target.source.lines.flatMap(({ stage }, i) => (stage === null ? [] : [i + 1]));
        const within = lines.filter((one) => one >= first && one <= last);
        return { breakpoints: within.map((one) => ({ line: client.line(one) })) };
      },
    ),
  };
}

function textOf(target: Target, reference: number, source: z.infer<typeof sourceSchema> | undefined): string {
  const found = target.sources.text(reference);
  if (found !== undefined) return found;
  if (reference === target.source.reference || (source && target.source.is(source))) return target.source.text;
  throw new AdapterError('unknownSource', { source: source?.path ?? String(reference) });
}

function stageFrame(target: Target): DebugProtocol.StackFrame {
  const { stop, source, client } = target;
  const { step, micro, stage } = stop;
  const where = stage === null ? 'not begun' : `${stage} done`;
  return {
    ...{ id: algorithmFrame, name: `step ${step}${micro > 0 ? `, micro-batch ${micro + 1}` : ''}: ${where}` },
    source: source.asSource(client),
    ...{ line: client.line(source.lineOf(stage)), column: client.line(1), canRestart: true },
  };
}

function insideFrame(target: Target, frame: InsideFrame, i: number): DebugProtocol.StackFrame {
  const { client, sources } = target;
  return {
    ...{ id: algorithmFrame + 1 + i, name: frame.title, source: sources.asSource(frame) },
    ...{ line: client.line(frame.line + 1), column: client.line(1), canRestart: false },
  };
}
