/** One run of the list: looks at its folder, listens to its process, and tells when its record is another. */
import fs from 'node:fs';
import path from 'node:path';
import type { RunRecord } from '../../protocol/rpc/index.ts';
import type { RunMessage } from '../../protocol/run-messages.ts';
import { type Annotations, readAnnotations } from '../../runs/folder/annotations.ts';
import { eventFolderSignature, eventFolderTimes, isEventFolder } from '../../runs/folder/event-folder.ts';
import { lockName } from '../../runs/folder/lock.ts';
import { type RunSummary, readRun } from '../../runs/folder/run-folder.ts';
import { requireRunFolder } from '../contained.ts';
import type { Listening, LiveLinks } from './live-links.ts';
import { Pace } from './pace.ts';
import { recordOf } from './record.ts';

/** How often mere progress is told. */
const progressMs = 500;

export class WatchedRun {
  readonly folder: string;
  readonly #links: LiveLinks;
  readonly #tell: (record: RunRecord) => void;
  readonly #pace = new Pace();
  #looked: { signature: string; summary: RunSummary; annotations: Annotations } | undefined;
  #listening: Listening | undefined;
  #told: RunRecord | undefined;
  #toldAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string, links: LiveLinks, tell: (record: RunRecord) => void) {
    this.folder = folder;
    this.#links = links;
    this.#tell = tell;
  }

  /** As of the last look and the last message; undefined before the first look. */
  get latest(): RunRecord | undefined {
    return this.#looked && this.#record();
  }

  /** Whether the editor knows of it. */
  get isTold(): boolean {
    return this.#told !== undefined;
  }

  /**
   * Looks at the folder again if it may have changed.
   * @returns the record, without telling it
   * @throws UserError when it is no run folder (any more)
   */
  look(): RunRecord {
    const signature = signatureOf(this.folder);
    // Whether the holder of a lock lives is not written in the folder.
    if (this.#looked?.signature !== signature || fs.existsSync(path.join(this.folder, lockName))) {
      requireRunFolder(this.folder);
      this.#looked = { signature, summary: readRun(this.folder), annotations: readAnnotations(this.folder) };
      this.#listen();
    }
    return this.#record();
  }

  /** Tells the record if it is another than the one told last; mere progress now and then. */
  update(record = this.#record()): void {
    if (!record || JSON.stringify(record) === JSON.stringify(this.#told)) return;
    const wait = this.#told && isProgress(this.#told, record) ? this.#toldAt + progressMs - performance.now() : 0;
    if (wait > 0) {
      this.#timer ??= setTimeout(() => this.update(), wait);
      return;
    }
    this.#tell(record);
    this.told(record);
  }

  /** The editor knows this. */
  told(record: RunRecord): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = record;
    this.#toldAt = performance.now();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listening?.leave();
  }

  #record(): RunRecord {
    const { summary, annotations } = this.#looked!;
    const { info, state } = summary;
    const standing = this.#links.standing(this.folder);
    const isRunning = (standing?.state ?? state) === 'running';
    if (!isRunning) this.#pace.clear();
    else if (!standing && info) this.#pace.add(Date.parse(info.updatedAt) / 1000, info.step);
    const left = (standing?.opened.iterations ?? info?.iterations ?? 0) - (standing?.step ?? info?.step ?? 0);
    const secondsLeft = isRunning ? this.#pace.secondsFor(left) : null;
    return recordOf({ summary, annotations, standing, secondsLeft });
  }

  /** Listens while a process works there, whether it can be reached or not. */
  #listen(): void {
    const isAlive = this.#looked?.summary.owner !== undefined;
    if (!isAlive) {
      this.#listening?.leave();
      this.#listening = undefined;
      return;
    }
    const listener = {
      onMessage: (message: RunMessage) => this.#heard(message),
      onChange: () => {
        this.#pace.clear(); // run.json lags behind: its steps and the run's own do not mix
        this.#lookAndTell();
      },
    };
    const wants = { steps: true, records: false, probe: false, notes: false };
    this.#listening ??= this.#links.listen(this.folder, listener, wants);
    void this.#links.ensure(this.folder);
  }

  #heard(message: RunMessage): void {
    if (message.type === 'step') this.#pace.add(message.time, message.step);
    if (message.type === 'step' || message.type === 'work') this.update();
    else if (message.type === 'state' || message.type === 'ended' || message.type === 'failed') this.#lookAndTell();
  }

  #lookAndTell(): void {
    try {
      this.update(this.look());
    } catch {
      // The folder is gone or unreadable: the next look at the whole list says so.
    }
  }
}

function isProgress(before: RunRecord, now: RunRecord): boolean {
  const rest = (record: RunRecord) =>
    JSON.stringify({ ...record, step: 0, secondsLeft: null, work: null, updatedAt: null });
  return rest(before) === rest(now);
}

/** Another one when the run or the person wrote something. */
function signatureOf(folder: string): string {
  return ['run.json', 'about.json', lockName]
    .map((name) => {
      const status = fs.statSync(path.join(folder, name), { throwIfNoEntry: false });
      return status ? `${status.ino} ${status.mtimeMs} ${status.size}` : '';
    })
    .concat(isEventFolder(folder) ? [eventFolderSignature(folder), String(eventFolderTimes(folder).goesOn)] : [])
    .join();
}
