/** The runs of a config, by the name that the config gives them. No `vscode` in here. */
import { join } from 'node:path';
import { readTextAside } from '../../backend/files/regular.ts';
import type { RunRecord } from '../../backend/protocol/rpc/index.ts';
import { identityOf } from './health-place.ts';

/** Runs that are looked into before giving up; the newest come first. */
const mostRuns = 100;

export class LastRuns {
  /** By run folder: the name in its own config, which stays; null where that cannot be read. */
  readonly #names = new Map<string, string | null>();

  /** @param records the newest first, as they come out again */
  async *of(name: string, kind: string | null, records: readonly RunRecord[]): AsyncGenerator<RunRecord> {
    for (const record of records.filter((each) => each.kind === kind).slice(0, mostRuns)) {
      if ((await this.#nameOf(record.folder)) === name) yield record;
    }
  }

  async #nameOf(folder: string): Promise<string | null> {
    const known = this.#names.get(folder);
    if (known !== undefined) return known;
    const text = await readTextAside(join(folder, 'config.dmd.json'), 'config').catch(() => '');
    const { name } = identityOf(text);
    // Of a run that is only just being made nothing can be read yet.
    if (name !== null) this.#names.set(folder, name);
    return name;
  }
}
