/**
 * The queue of generations: one after the other, each of one or two requests, all cancellable. Knows no `vscode`: how to
 * ask and how to cancel is handed in.
 */
import { UserError } from '../../backend/protocol/errors.ts';
import type { Job, Side } from '../../backend/protocol/panels/generate.ts';
import type { Generated, GenerateSettings, ModelInfo } from '../../backend/protocol/rpc/images.ts';

/** Asks the backend; `id` names the request in `progress`. */
export type Ask = (id: string, settings: GenerateSettings, signal: AbortSignal) => Promise<Generated>;

/** What is being done: `waiting` for others, `starting`, or as the backend says it (`loading`, `sampling`, ...). */
export type Stage = string;

export interface Part {
  readonly settings: GenerateSettings;
  readonly model: ModelInfo;
}

export interface Made {
  readonly sides: Side[];
  /** PNG files, by side. */
  readonly pictures: Uint8Array[][];
}

interface Queued {
  readonly id: string;
  readonly title: string;
  readonly cancel: AbortController;
  stage: Stage;
  done: number;
  total: number;
  preview: Uint8Array | null;
}

export class Generations {
  readonly #ask: Ask;
  readonly #word: (stage: Stage) => string;
  readonly #onChange: () => void;
  #queue: Queued[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #count = 0;

  /** @param word what a stage is called for people */
  constructor(ask: Ask, word: (stage: Stage) => string, onChange: () => void) {
    this.#ask = ask;
    this.#word = word;
    this.#onChange = onChange;
  }

  /** The one under way first. */
  jobs(): Job[] {
    return this.#queue.map(({ id, title, stage, done, total, preview }) => {
      return { id, title, label: this.#word(stage), done, total, waiting: stage === 'waiting', preview };
    });
  }

  /** Rejects with what the backend says; with UserError('cancelled') after `cancel`. */
  add(title: string, parts: readonly Part[], signal?: AbortSignal): Promise<Made> {
    const total = parts.reduce((sum, { settings }) => sum + settings.seeds.length, 0);
    const id = `generate-${++this.#count}`;
    const job: Queued = { id, title, cancel: new AbortController(), stage: 'waiting', done: 0, total, preview: null };
    const cancel = () => this.cancel(id);
    signal?.addEventListener('abort', cancel);
    this.#queue.push(job);
    const made = this.#last
      .then(() => this.#run(job, parts))
      .finally(() => {
        signal?.removeEventListener('abort', cancel);
        this.#remove(job);
      });
    this.#last = made.catch(() => {});
    this.#onChange();
    return made;
  }

  /** At once for one that waits. */
  cancel(id: string): void {
    this.#queue.find((job) => job.id === id)?.cancel.abort();
    const waiting = this.#queue.find((job) => job.id === id && job.stage === 'waiting');
    if (waiting) this.#remove(waiting);
  }

  cancelAll(): void {
    for (const { id } of [...this.#queue]) this.cancel(id);
  }

  /** From the backend's `progress`; others' are left alone. */
  progress({ id, label, done, total }: { id: string; label: string; done: number; total: number }): void {
    const [name, part] = id.split('/');
    const job = this.#queue.find((queued) => queued.id === name);
    if (!job || part === undefined) return;
    job.stage = label === 'waiting' ? 'starting' : label;
    job.done = label === 'sampling' ? Number(part) * total + done : job.done;
    this.#onChange();
  }

  /** From the backend, between two steps of a sampler. */
  preview({ id, png }: { id: string; png: Uint8Array }): void {
    const job = this.#queue.find((queued) => queued.id === id.split('/')[0]);
    if (!job) return;
    job.preview = png;
    this.#onChange();
  }

  async #run(job: Queued, parts: readonly Part[]): Promise<Made> {
    const sides: Side[] = [];
    const pictures: Uint8Array[][] = [];
    for (const [index, { settings, model }] of parts.entries()) {
      if (job.cancel.signal.aborted) throw new UserError('cancelled', 'The generation was cancelled.');
      job.stage = 'starting';
      this.#onChange();
      const generated = await this.#ask(`${job.id}/${index}`, settings, job.cancel.signal);
      sides.push(sideOf(settings, model, generated));
      pictures.push(generated.images.map(({ png }) => png));
    }
    return { sides, pictures };
  }

  #remove(job: Queued): void {
    if (!this.#queue.includes(job)) return;
    this.#queue = this.#queue.filter((queued) => queued !== job);
    this.#onChange();
  }
}

/** What one model made, without the pictures. */
export function sideOf(settings: GenerateSettings, { title, role, classes }: ModelInfo, generated: Generated): Side {
  const { images, width, height, device, why, millisecondsPerImage, startupMilliseconds, modelSha256, notes } =
    generated;
  return {
    ...{ settings, title, role, device, why, width, height, millisecondsPerImage, startupMilliseconds, modelSha256 },
    notes,
    images: images.map(({ seed, class: id }) => ({
      seed,
      class: id,
      className: id === null ? '' : nameOf(id, classes),
    })),
  };
}

function nameOf(id: number, classes: readonly string[]): string {
  const name = classes[id] ?? '';
  return name === String(id) ? '' : name;
}
