/**
 * The runs in some folders and those that somebody has open, and news of them. What a disk refuses for now stays as it was
 * last seen: only what is known to be gone is told to be removed. The file system tells of new folders where it can; a look every two seconds
 * finds everything else, also on disks that never tell.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { isDiskTrouble } from '../../files/disk.ts';
import { listFolder } from '../../files/folders.ts';
import type { RunRecord } from '../../protocol/rpc/index.ts';
import { isEventFolder } from '../../runs/folder/event-folder.ts';
import type { LiveLinks } from './live-links.ts';
import { byAge } from './record.ts';
import { WatchedRun } from './watched-run.ts';

const lookMs = 2000;
/** A new folder gets its run.json a moment later. */
const soonMs = [100, 600];
/** Between two turns of the event loop. */
const sliceMs = 20;

export interface RunNews {
  readonly onChanged: (record: RunRecord) => void;
  readonly onRemoved: (folder: string) => void;
  readonly onWarning: (text: string) => void;
}

export class RunList {
  readonly #links: LiveLinks;
  readonly #news: RunNews;
  readonly #runs = new Map<string, WatchedRun>();
  /** Wherever they lie, by how many have them open. */
  readonly #kept = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #warned = new Set<string>();
  #roots: readonly string[] = [];
  #watchers: fs.FSWatcher[] = [];
  #looking: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(links: LiveLinks, news: RunNews) {
    this.#links = links;
    this.#news = news;
    this.#lookIn(lookMs, () => lookMs);
  }

  /** Watches these folders and no others. @returns the runs in them, the newest first */
  async setRoots(roots: readonly string[]): Promise<RunRecord[]> {
    this.#roots = [...new Set(roots.map((root) => path.resolve(root)))];
    for (const watcher of this.#watchers.splice(0)) watcher.close();
    this.#watchers = this.#roots.flatMap((root) => this.#watch(root));
    const records = await this.#look();
    const listed = records.filter(({ folder }) => this.#roots.includes(path.dirname(folder)));
    for (const record of records) {
      if (listed.includes(record)) this.#runs.get(record.folder)?.told(record);
      else this.#runs.get(record.folder)?.update(record);
    }
    return listed.sort(byAge);
  }

  /** News of this run are told too, wherever it lies, until the returned function is called. */
  keep(named: string): () => void {
    const folder = path.resolve(named);
    this.#kept.set(folder, (this.#kept.get(folder) ?? 0) + 1);
    this.#lookIn(0);
    let isKept = true;
    return () => {
      if (!isKept) return;
      isKept = false;
      const left = this.#kept.get(folder)! - 1;
      if (left > 0) this.#kept.set(folder, left);
      else this.#kept.delete(folder);
    };
  }

  /** The record of a run in one of the folders, as far as it is known. */
  get(folder: string): RunRecord | undefined {
    return this.#runs.get(folder)?.latest;
  }

  /** Looks at a run now, e.g. because it was told to change. */
  refresh(folder: string): void {
    const run = this.#runs.get(path.resolve(folder));
    const record = run && this.#lookAt(run);
    if (record) run.update(record);
    else if (!run) this.#lookSoon();
  }

  dispose(): void {
    this.#disposed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const watcher of this.#watchers) watcher.close();
    for (const run of this.#runs.values()) run.dispose();
  }

  #lookSoon(): void {
    for (const ms of soonMs) this.#lookIn(ms);
  }

  /** @param again after how long to look once more; left out, once */
  #lookIn(ms: number, again?: () => number): void {
    if (this.#disposed) return;
    const timer = setTimeout(async () => {
      this.#timers.delete(timer);
      const records = await this.#look();
      for (const record of records) this.#runs.get(record.folder)?.update(record);
      if (again) this.#lookIn(again(), again);
    }, ms);
    this.#timers.add(timer);
  }

  #watch(root: string): fs.FSWatcher[] {
    try {
      const watcher = fs.watch(root, { persistent: false }, () => this.#lookSoon());
      watcher.on('error', () => watcher.close());
      return [watcher];
    } catch {
      return []; // it does not exist yet, or cannot be watched: the regular look finds what is new
    }
  }

  /** One look after the other: two at once would both find the same news. */
  #look(): Promise<RunRecord[]> {
    const looked = this.#looking.then(() => this.#lookAtAll());
    this.#looking = looked.catch(() => {});
    return looked;
  }

  async #lookAtAll(): Promise<RunRecord[]> {
    const records: RunRecord[] = [];
    let since = performance.now();
    const kept = [...this.#kept.keys()].filter((folder) => this.#isRun(folder));
    const folders = [...new Set([...this.#roots.flatMap((root) => this.#runFolders(root)), ...kept])];
    for (const folder of folders) {
      if (performance.now() - since > sliceMs) {
        await turn();
        since = performance.now();
      }
      if (this.#disposed) return [];
      const run = this.#runs.get(folder) ?? new WatchedRun(folder, this.#links, this.#news.onChanged);
      this.#runs.set(folder, run);
      const record = this.#lookAt(run);
      if (record) records.push(record);
    }
    for (const [folder, run] of [...this.#runs]) {
      if (folders.includes(folder)) continue;
      this.#forget(run);
    }
    return records;
  }

  #runFolders(root: string): string[] {
    try {
      const folders = listFolder(root).map((name) => path.join(root, name));
      return folders.filter((folder) => this.#isRun(folder));
    } catch (error) {
      this.#warn(error);
      return isDiskTrouble(error) ? [...this.#runs.keys()].filter((folder) => path.dirname(folder) === root) : [];
    }
  }

  #isRun(folder: string): boolean {
    try {
      return hasFile(folder, 'run.json') || isEventFolder(folder);
    } catch (error) {
      this.#warn(error);
      return isDiskTrouble(error) && this.#runs.get(folder)?.isTold === true;
    }
  }

  /** Its record: as last seen, where the disk refuses for now. undefined: it is no run (any more), and forgotten. */
  #lookAt(run: WatchedRun): RunRecord | undefined {
    try {
      return run.look();
    } catch (error) {
      this.#warn(error);
      if (run.isTold && isDiskTrouble(error)) return run.latest;
      this.#forget(run);
      return undefined;
    }
  }

  #forget(run: WatchedRun): void {
    run.dispose();
    this.#runs.delete(run.folder);
    const isWatched = this.#kept.has(run.folder) || this.#roots.includes(path.dirname(run.folder));
    if (run.isTold && isWatched) this.#news.onRemoved(run.folder);
  }

  /** Once each: the next look would say the same. */
  #warn(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#news.onWarning(text);
  }
}

/** Throws what the disk says, except that nothing is there. */
function hasFile(folder: string, name: string): boolean {
  return fs.statSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined;
}
