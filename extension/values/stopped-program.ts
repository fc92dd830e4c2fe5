/**
 * The program that is stopped, as the editor shows it: the stack frame that the person looks at. Every other frame, and running
 * on, ends what was asked of the one before.
 */
import * as vscode from 'vscode';
import { z } from '../../backend/protocol/config/zod.ts';
import type { Stop } from '../../backend/protocol/panels/value.ts';
import type { Debuggee } from './debuggee.ts';

const trace = z.object({
  stackFrames: z.array(
    z.object({
      id: z.number(),
      name: z.string(),
      line: z.number(),
      source: z.object({ name: z.string().optional(), path: z.string().optional() }).nullish(),
    }),
  ),
});

export interface StoppedAt {
  readonly debuggee: Debuggee;
  readonly stop: Stop;
}

/** How deep the chosen frame is looked for. */
const mostFrames = 100;

export class StoppedProgram implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #listening: vscode.Disposable;
  #resumed = new AbortController();
  #at: Promise<StoppedAt | undefined> | undefined;

  constructor() {
    this.#listening = vscode.debug.onDidChangeActiveStackItem(() => {
      this.#resumed.abort();
      this.#resumed = new AbortController();
      this.#at = undefined;
      this.#changed.fire();
    });
  }

  /** It stopped, runs on, or another frame was chosen. */
  get onDidChange(): vscode.Event<void> {
    return this.#changed.event;
  }

  /** Undefined when nothing is stopped. */
  current(): Promise<StoppedAt | undefined> {
    this.#at ??= this.#look();
    return this.#at;
  }

  dispose(): void {
    this.#resumed.abort();
    this.#listening.dispose();
    this.#changed.dispose();
  }

  async #look(): Promise<StoppedAt | undefined> {
    const item = vscode.debug.activeStackItem;
    if (!(item instanceof vscode.DebugStackFrame)) return undefined;
    const { session, threadId, frameId } = item;
    const resumed = this.#resumed.signal;
    const request = async (command: string, args: object): Promise<unknown> => session.customRequest(command, args);
    const frame = await request('stackTrace', { threadId, startFrame: 0, levels: mostFrames }).then(
      (answer) => trace.safeParse(answer).data?.stackFrames.find(({ id }) => id === frameId),
      () => undefined, // the type of the debugger says enough
    );
    const source = frame?.source?.path ?? frame?.source?.name ?? '';
    const name = frame?.source?.name ?? source.split(/[\\/]/).at(-1) ?? '';
    const where = frame ? `${name}:${frame.line} (${frame.name})` : session.name;
    return {
      debuggee: { type: session.type, source, frameId, resumed, request },
      stop: { where, session: session.name },
    };
  }
}
