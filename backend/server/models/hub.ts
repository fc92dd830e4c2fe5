/** Downloads from the hub. Files are fetched and hashed piece by piece, so that other requests are answered meanwhile. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '../../protocol/errors.ts';
import { downloadModel, hubPlace, planDownload, progress } from '../../protocol/rpc/index.ts';
import type { RequestContext, Server } from '../handler.ts';

/** How often somebody is told of more bytes. */
const progressMs = 100;

interface UnderWay {
  readonly signal: AbortSignal;
  /** Never rejects. */
  readonly ended: Promise<unknown>;
}

export function registerHub(server: Server): void {
  /** By repository: two downloads of one file would write into each other. */
  const underWay = new Map<string, UnderWay>();

  server.handle(hubPlace, async () => {
    const { hubCache } = await import('../../models/hub/cache.ts');
    const { hubEndpoint } = await import('../../models/hub/endpoint.ts');
    const cache = resolve(hubCache());
    return {
      ...{ host: new URL(hubEndpoint()).host, cache, free: await freeBytes(cache) },
      login: Boolean(process.env.HF_TOKEN),
    };
  });

  server.handle(planDownload, async ({ repository }, { signal }) => {
    const { openHub } = await import('../../models/hub/client.ts');
    const { planDownload: plan } = await import('../../models/hub/plan-download.ts');
    const { offers } = await plan({ repository, client: await openHub({ signal }), signal });
    return [...offers];
  });

  server.handle(downloadModel, async ({ id, repository, variant }, context) => {
    const { signal } = context;
    const other = underWay.get(repository);
    if (other && !other.signal.aborted) {
      throw new UserError('usage', `${repository} is being downloaded already`, 'Wait for it, or stop it first.');
    }
    const work = (async () => {
      // One that was stopped may still have a file open.
      await other?.ended;
      return download(id, repository, variant, context);
    })();
    const own: UnderWay = { signal, ended: work.catch(() => {}) };
    underWay.set(repository, own);
    void own.ended.then(() => underWay.get(repository) === own && underWay.delete(repository));
    return work;
  });
}

async function download(id: string, repository: string, variant: string, { signal, notify }: RequestContext) {
  const { openHub } = await import('../../models/hub/client.ts');
  const { downloadModel: fetchModel } = await import('../../models/hub/download.ts');
  let told = Number.NEGATIVE_INFINITY;
  const onProgress = (done: number, total: number, label: string) => {
    if (done < total && performance.now() - told < progressMs) return;
    told = performance.now();
    void notify(progress, { id, label, done, total });
  };
  const client = await openHub({ signal });
  const wanted = variant === '' ? {} : { variant };
  const { folder, bytes } = await fetchModel({ repository, client, signal, onProgress, ...wanted });
  return { folder: resolve(folder), bytes };
}

/** On the disk of a folder that need not be there yet. */
async function freeBytes(folder: string): Promise<number | null> {
  let there = folder;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  try {
    const { bavail, bsize } = await statfs(there);
    return bavail * bsize;
  } catch {
    return null;
  }
}
