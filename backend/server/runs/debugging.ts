/** Debuggers of runs: every session has a line of its own to its run, which is closed when the session is over. */

import { debugRequests } from '../../protocol/debug-requests.ts';
import { UserError } from '../../protocol/errors.ts';
import type { RequestDefinition } from '../../protocol/rpc/define.ts';
import { debugRun } from '../../protocol/rpc/index.ts';
import { connectRunIn, type RunLink } from '../../runs/live/link.ts';
import { requireRunFolder } from '../contained.ts';
import type { Server } from '../handler.ts';

export function registerDebugging(server: Server, connect = (folder: string) => connectRunIn(folder)): void {
  const links = new Map<string, RunLink>();
  server.handle(debugRun, async ({ folder, method, params }, { signal }) => {
    const definition: RequestDefinition<unknown, unknown> = debugRequests[method];
    const { success, data, error } = definition.params.safeParse(params);
    if (!success)
      throw new UserError('usage', `${method}: ${error.issues[0]!.path.join('.')}: ${error.issues[0]!.message}`);
    const { session } = data as { session: string };
    const run = requireRunFolder(folder).folder;
    const link = links.get(session) ?? (method === 'debug/attach' ? await connected(run, session) : undefined);
    if (!link) throw new UserError('usage', 'this debugger is not attached to the run (any more)', 'Attach it again.');
    const last = method === 'debug/hold' || method === 'debug/detach';
    try {
      return await link.ask(definition, data, signal);
    } catch (thrown) {
      if (method === 'debug/attach') link.close();
      throw thrown;
    } finally {
      if (last) link.close();
    }
  });
  server.onEnd(() => {
    for (const link of [...links.values()]) link.close();
  });

  async function connected(folder: string, session: string): Promise<RunLink> {
    const link = await connect(folder);
    links.set(session, link);
    link.onClose(() => {
      if (links.get(session) === link) links.delete(session);
    });
    return link;
  }
}
