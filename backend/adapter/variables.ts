/** The requests `scopes`, `variables` and `setVariable`. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from '../protocol/config/zod.ts';
import { debugRequests, mostChildren, type TensorLine } from '../protocol/debug-requests.ts';
import { AdapterError } from './errors.ts';
import { insideVariables } from './inside.ts';
import { type ScopeName, scopeNames } from './node.ts';
import { numberText } from './one-line.ts';
import { checked, type Handlers } from './request.ts';
import { frameOf } from './stack.ts';
import type { Target } from './target.ts';
import { numberVariable, rowVariable, summedUp, tensorVariable, valueBody, waitable } from './values.ts';

const reference = z.int().min(0);

export function variableHandlers(target: Target): Handlers {
  return {
    ...checked('scopes', z.object({ frameId: z.int() }), ({ frameId }) => ({ scopes: scopesOf(target, frameId) })),
    ...checked(
      'variables',
      z.object({
        variablesReference: reference,
        filter: z.enum(['indexed', 'named']).optional(),
        start: z.int().min(0).default(0),
        count: z.int().min(0).default(0),
      }),
      async (args, { signal }) => ({ variables: await variablesOf(target, args, signal) }),
    ),
    ...checked(
      'setVariable',
      z.object({ variablesReference: reference, name: z.string(), value: z.string() }),
      async ({ variablesReference, name, value }, { signal }) => {
        const below = target.nodes.find(variablesReference);
        if (below?.kind === 'waits') {
          const limit = target.waits.set(below.name, name, value);
          return { value: numberText(limit), type: 'limit', variablesReference: 0 };
        }
        const goal = assignable(target, variablesReference, name);
        const set = await target.debuggee.ask(debugRequests['debug/assign'], { target: goal, value }, signal);
        target.changed();
        return valueBody(target, set);
      },
    ),
  };
}

function scopesOf(target: Target, frameId: number): DebugProtocol.Scope[] {
  const frame = frameOf(target, frameId);
  if (frame) {
    return (['outputs', 'inputs'] as const).map((which) => ({
      name: which === 'outputs' ? 'Made so far' : 'Comes in',
      variablesReference: target.nodes.add({ kind: 'inside', frame, which }),
      expensive: false,
    }));
  }
  return scopeNames.map((scope) => ({
    name: scope,
    ...(scope === 'Tensors' ? { presentationHint: 'locals' } : {}),
    variablesReference: target.nodes.add({ kind: 'scope', scope }),
    expensive: scope === 'Networks',
  }));
}

interface Page {
  readonly variablesReference: number;
  readonly filter?: 'indexed' | 'named' | undefined;
  readonly start: number;
  readonly count: number;
}

async function variablesOf(target: Target, page: Page, signal: AbortSignal): Promise<DebugProtocol.Variable[]> {
  void target.stop;
  const node = target.nodes.get(page.variablesReference);
  switch (node.kind) {
    case 'scope':
      return paged(await scopeVariables(target, node.scope, signal), page);
    case 'inside':
      return paged(insideVariables(target, node.frame, node.which), page);
    case 'waits':
      return paged(target.waits.variables(node.name, node.value), page);
    case 'summary': {
      const statistics = await target.client.progress.during(`Statistics of ${node.name}`, signal, (both) =>
        target.debuggee.ask(debugRequests['debug/statistics'], { tensor: node.tensor.name, path: [] }, both),
      );
      return [summedUp(target, node.name, { ...node.tensor, statistics })];
    }
    case 'tensor':
      return page.filter === 'named' ? [] : rows(target, node, page, signal);
  }
}

/** A page of what lies below; without a page the first thousand, and a word about the others. */
async function rows(
  target: Target,
  { tensor, path }: { readonly tensor: TensorLine; readonly path: readonly number[] },
  { start, count: asked }: Page,
  signal: AbortSignal,
): Promise<DebugProtocol.Variable[]> {
  const length = tensor.shape[path.length]!;
  const left = Math.max(0, length - start);
  const count = Math.min(asked === 0 ? left : asked, left, mostChildren);
  if (count === 0) return [];
  const children = await target.client.progress.during(`Reading ${tensor.name}`, signal, (both) =>
    target.debuggee.ask(debugRequests['debug/children'], { tensor: tensor.name, path: [...path], start, count }, both),
  );
  const shown = children.map((child) => rowVariable(target, tensor, [...path, child.index], child));
  const rest = left - count;
  if (rest === 0 || (asked !== 0 && asked <= count)) return shown;
  return [...shown, { name: '...', value: `${rest} more: ask for them page by page`, variablesReference: 0 }];
}

async function scopeVariables(
  target: Target,
  scope: ScopeName,
  signal: AbortSignal,
): Promise<DebugProtocol.Variable[]> {
  const { debuggee } = target;
  if (scope === 'Numbers' || scope === 'Settings') {
    const { numbers, settings } = await debuggee.ask(debugRequests['debug/numbers'], {}, signal);
    if (scope === 'Settings') return settings.map(numberVariable);
    return numbers.map((line) => waitable(target, line));
  }
  const tensors = await target.client.progress.during('Reading tensors', signal, (both) =>
    debuggee.ask(debugRequests['debug/tensors'], {}, both),
  );
  const wanted = scope === 'Networks';
  return tensors
    .filter(({ name }) => name.includes('.') === wanted)
    .map((tensor) =>
      tensor.shape.length === 0 && tensor.statistics
        ? { ...tensorVariable(target, tensor.name, tensor), value: numberText(tensor.statistics.mean) }
        : tensorVariable(target, tensor.name, tensor),
    );
}

function paged<T>(all: readonly T[], { start, count, filter }: Page): T[] {
  if (filter === 'indexed') return [];
  return all.slice(start, count === 0 ? undefined : start + count);
}

/** What an assignment has on its left for a variable below a reference. */
function assignable(target: Target, variablesReference: number, name: string): string {
  void target.stop;
  const node = target.nodes.get(variablesReference);
  if (node.kind === 'scope') return name;
  if (node.kind !== 'tensor' || !node.tensor.writable || !/^\[\d+\]$/.test(name)) {
    throw new AdapterError('notChangeable', { name });
  }
  return `${node.tensor.name}[${[...node.path, name.slice(1, -1)].join(', ')}]`;
}
