/** Who follows which run, each under an id of the editor's choice and with wishes of its own. */
import * as rpc from '../../protocol/rpc/index.ts';
import { requireRunFolder } from '../contained.ts';
import type { Server } from '../handler.ts';
import { Follower } from './follower.ts';
import type { HistoryCache } from './history-cache.ts';
import type { LiveLinks } from './live-links.ts';
import type { RunList } from './run-list.ts';

interface Following {
  readonly folder: string;
  readonly follower: Follower;
  /** Settles once everything that happens is told. */
  readonly started: Promise<void>;
  end(): void;
}

/** @param list which tells how each run that is followed stands, also of one that is not in the editor's folders */
export function registerFollowing(
  server: Server,
  links: LiveLinks,
  histories: HistoryCache,
  list: Pick<RunList, 'keep'>,
): void {
  const all = new Map<string, Following>();
  const end = (id: string) => {
    all.get(id)?.end();
    all.delete(id);
  };
  const begin = (id: string, folder: string, wants: rpc.Interests): Following => {
    const { history, release } = histories.hold(folder);
    const letGo = list.keep(folder);
    const follower = new Follower({
      ...{ folder, wants, history, links },
      emit: async (event) => server.notify(rpc.runLive, { id, event }),
      onError: (error) => server.log('warning', `${folder}: ${error instanceof Error ? error.message : error}`),
    });
    const stop = () => {
      follower.stop();
      release();
      letGo();
    };
    return { folder, follower, started: follower.start(), end: stop };
  };
  server.handle(rpc.followRun, async ({ id, folder: named, wants }) => {
    const { folder } = requireRunFolder(named);
    const known = all.get(id);
    if (known?.folder === folder) known.follower.want(wants);
    else {
      end(id);
      all.set(id, begin(id, folder, wants));
    }
    const following = all.get(id)!;
    try {
      await following.started;
    } catch (error) {
      if (all.get(id) === following) end(id);
      throw error;
    }
    return null;
  });
  server.handle(rpc.unfollowRun, ({ id }) => {
    end(id);
    return null;
  });
  server.onEnd(() => {
    for (const id of [...all.keys()]) end(id);
  });
}
