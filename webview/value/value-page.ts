/**
 * The value page: what is looked at is its state, and whatever changes it asks the program for what is seen now. Of two readings
 * only the later counts; when one fails the last picture stays, said to be old, with the reason above it.
 */
import {
  firstState,
  readStop,
  type Stop,
  savePicture,
  showExpression,
  stopChanged,
  titleChanged,
  type ValueState,
  valueStateSchema,
} from '../../backend/protocol/panels/value.ts';
import type { ValueTexts } from '../../backend/protocol/panels/value-texts.ts';
import { element, setText } from '../shared/dom.ts';
import { type Host, isCancelled, wordsOf } from '../shared/host.ts';
import { fill } from '../shared/initial.ts';
import { ArrayView, fileNameOf } from './array-view.ts';
import { ExpressionsBar } from './expressions-bar.ts';
import { type Reading, read, ShapesDiffer } from './reading.ts';

/** What makes the program be asked anew for what the values are. */
const renewing: readonly (keyof ValueState)[] = ['expression', 'minus', 'shape'];
const onlyColours: readonly (keyof ValueState)[] = ['kind', 'channels', 'end', 'follow'];

export class ValuePage {
  readonly #host: Host;
  readonly #texts: ValueTexts;
  readonly #bar: ExpressionsBar;
  readonly #array: ArrayView;
  readonly #where = element('p', { class: 'where muted', role: 'status' });
  readonly #failure = element('p', { class: 'failure error', role: 'alert', hidden: true });
  #state: ValueState;
  #stop: Stop | null = null;
  #reading: Reading | null = null;
  /** Where the program stood when it was read. */
  #readAt = '';
  /** The values belong to the stop that is now. */
  #isFresh = false;
  #asked = new AbortController();

  constructor(host: Host, root: HTMLElement, texts: ValueTexts, expression: string) {
    this.#host = host;
    this.#texts = texts;
    this.#state = host.load(valueStateSchema) ?? firstState(expression);
    this.#bar = new ExpressionsBar(texts, (change) => this.#change(change, 'expression' in change));
    this.#array = new ArrayView(
      texts,
      (change) => this.#change(change),
      () => void this.#save(),
    );
    root.append(this.#bar.root, this.#where, this.#failure, this.#array.root, this.#array.spoken);
    this.#bar.show(this.#state);
  }

  async start(): Promise<void> {
    this.#host.on(stopChanged, ({ stop }) => this.#stopped(stop, this.#state.follow));
    this.#host.on(showExpression, ({ expression }) => this.#change({ ...firstState(expression) }, true));
    this.#host.notify(titleChanged, { expression: this.#state.expression });
    this.#stopped(await this.#host.request(readStop, {}), true);
  }

  /** With the theme's colours as they are now. */
  redraw(): void {
    if (this.#reading) this.#show(this.#reading);
  }

  #stopped(stop: Stop | null, reads: boolean): void {
    this.#stop = stop;
    this.#isFresh = false;
    if (stop && reads) void this.#read();
    else this.#asked.abort();
    this.#say();
  }

  #change(change: Partial<ValueState>, now = false): void {
    const before = this.#state;
    this.#state = { ...before, ...change };
    this.#host.save(this.#state);
    this.#bar.show(this.#state);
    const changed = (Object.keys(change) as (keyof ValueState)[]).filter((key) => before[key] !== this.#state[key]);
    if (changed.includes('expression')) this.#host.notify(titleChanged, { expression: this.#state.expression });
    if (now || changed.some((key) => renewing.includes(key))) this.#isFresh = false;
    if (changed.some((key) => !onlyColours.includes(key)) || now) void this.#read();
    else this.redraw();
  }

  async #read(): Promise<void> {
    this.#asked.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const stop = this.#stop;
    if (!stop || this.#state.expression === '') return this.#say();
    setText(this.#where, this.#texts.reading);
    try {
      const reading = await read(this.#host, this.#state, this.#isFresh ? this.#reading : null, asked.signal);
      if (asked.signal.aborted) return;
      this.#reading = reading;
      this.#readAt = stop.where;
      this.#isFresh = true;
      this.#failure.hidden = true;
      this.#show(reading);
    } catch (error) {
      if (asked.signal.aborted || isCancelled(error)) return;
      this.#fail(error);
    }
    this.#say();
  }

  #show(reading: Reading): void {
    const { expression, minus } = this.#state;
    this.#array.show(reading, this.#state, { value: expression, other: minus });
  }

  #fail(error: unknown): void {
    const { expression, minus } = this.#state;
    this.#failure.hidden = false;
    if (error instanceof ShapesDiffer) {
      const [a, b] = error.shapes.map((shape) => shape.join(' × '));
      setText(this.#failure, fill(this.#texts.shapeMismatch, expression, a!, minus, b!));
      return;
    }
    setText(this.#failure, wordsOf(error));
  }

  #say(): void {
    const texts = this.#texts;
    const old = this.#reading !== null && !this.#isFresh;
    const parts = [
      this.#stop ? fill(texts.stoppedAt, this.#stop.where) : texts.notStopped,
      old && fill(texts.asOf, this.#readAt),
    ];
    setText(this.#where, parts.filter(Boolean).join(' '));
    this.#array.root.classList.toggle('old', old);
  }

  async #save(): Promise<void> {
    const picture = { name: fileNameOf(this.#state.expression), png: await this.#array.png() };
    await this.#host.request(savePicture, picture).catch((error) => this.#fail(error));
  }
}
