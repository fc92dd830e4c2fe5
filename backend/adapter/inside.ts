/**
 * Inside of a stage: the listing of its network or loss, whose values were computed again from what the stage was given. Going through it
 * moves a cursor; the run does not stir.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { debugRequests } from '../protocol/debug-requests.ts';
import type { InsideFrame } from './node.ts';
import type { Target } from './target.ts';
import { tensorVariable } from './values.ts';

/** Enters the stage (scope '') or a block of it, on its first line. Throws UserError where there is nothing inside. */
export async function enter(target: Target, scope: string, signal: AbortSignal): Promise<InsideFrame> {
  const title = scope === '' ? target.stop.stage : scope;
  const listed = await target.client.progress.during(`Looking into ${title}`, signal, (both) =>
    target.debuggee.ask(debugRequests['debug/inside'], { scope }, both),
  );
  return { scope, ...listed, line: 0 };
}

/** Tensors of the lines that have run, or what comes into the one just run, by the names that the listing has for them; the later one counts. */
export function insideVariables(
  target: Target,
  { lines, line }: InsideFrame,
  which: 'inputs' | 'outputs',
): DebugProtocol.Variable[] {
  const shown = which === 'outputs' ? lines.slice(0, line + 1) : lines.slice(line, line + 1);
  const named = new Map<string, DebugProtocol.Variable>();
  for (const one of shown) {
    const names = namesIn(one.text)[which];
    one[which].forEach((tensor, i) => {
      const name = names.length === one[which].length ? names[i]! : tensor.name;
      named.delete(name);
      named.set(name, tensorVariable(target, name, tensor));
    });
  }
  return [...named.values()];
}

/** `h, skip` and `x` of `h, skip = block(x)`. */
function namesIn(text: string): { readonly outputs: string[]; readonly inputs: string[] } {
  const [, left = '', right = ''] = /^\s*([^=]*?)\s*=\s*[^(]*\((.*)\)\s*$/.exec(text) ?? [];
  const listed = (words: string) => (words === '' ? [] : words.split(',').map((word) => word.trim()));
  return { outputs: listed(left), inputs: listed(right) };
}
