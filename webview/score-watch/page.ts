/** The score watch's page: what the host read at the last stops, one of them in full. */
import {
  forgetStops,
  programAt,
  readScores,
  type ScorePageState,
  type ScoreSettings,
  type ScoreStop,
  scorePageStateSchema,
  scoreRoles,
  setScores,
  stopRead,
} from '../../backend/protocol/panels/score-watch.ts';
import type { ScoreWatchTexts } from '../../backend/protocol/panels/score-watch-texts.ts';
import type { Stop } from '../../backend/protocol/panels/value.ts';
import { statistic } from '../../backend/protocol/values/value.ts';
import { element, fillWith, setText } from '../shared/dom.ts';
import { number } from '../shared/format.ts';
import type { Host } from '../shared/host.ts';
import { fill } from '../shared/initial.ts';
import { firstLook, lookSchema } from '../shared/scores/look.ts';
import { ScoreSetView } from '../shared/scores/score-set-view.ts';
import { ScoreForm } from './form.ts';
import { type StopSet, stepOf, stopSetOf } from './set-of.ts';
import { Strip } from './strip.ts';

export class ScoreWatchPage {
  readonly #host: Host;
  readonly #texts: ScoreWatchTexts;
  readonly #form: ScoreForm;
  readonly #strip: Strip;
  readonly #view: ScoreSetView;
  readonly #where = element('p', { class: 'where muted', role: 'status' });
  readonly #empty: HTMLElement;
  readonly #problems = element('ul', { class: 'problems error', hidden: true });
  readonly #statistics = element('ul', { class: 'all-statistics muted number', hidden: true });
  readonly #made = new Map<ScoreStop, StopSet>();
  #state: ScorePageState;
  #stops: ScoreStop[] = [];

  constructor(host: Host, root: HTMLElement, texts: ScoreWatchTexts) {
    this.#host = host;
    this.#texts = texts;
    this.#state = host.load(scorePageStateSchema) ?? { chosen: null, look: null, formOpen: true };
    this.#form = new ScoreForm(
      texts,
      (settings) => this.#set(settings),
      (formOpen) => this.#change({ formOpen }),
    );
    this.#strip = new Strip(
      texts,
      (chosen) => this.#change({ chosen }),
      () => this.#forget(),
    );
    const look = lookSchema.safeParse(this.#state.look);
    this.#view = new ScoreSetView({
      texts,
      look: look.success ? look.data : firstLook,
      onLook: (chosen) => this.#change({ look: chosen }),
    });
    this.#empty = element('p', { class: 'empty muted' }, texts.empty);
    root.append(
      ...[this.#form.root, this.#where, this.#strip.root, this.#problems, this.#empty],
      ...[this.#view.root, this.#statistics],
    );
  }

  async start(): Promise<void> {
    this.#host.on(stopRead, ({ stop }) => {
      const at = this.#stops.findIndex(({ id }) => id === stop.id);
      if (at >= 0) this.#stops[at] = stop;
      else this.#stops.push(stop);
      this.#show();
    });
    this.#host.on(programAt, ({ now, reading }) => this.#at(now, reading));
    const { settings, stops, now } = await this.#host.request(readScores, {});
    const known = new Set(this.#stops.map(({ id }) => id));
    this.#stops = [...stops.filter(({ id }) => !known.has(id)), ...this.#stops];
    this.#form.show(settings, this.#state.formOpen);
    this.#at(now, false);
    this.#show();
  }

  /** With the theme's colours as they are now. */
  redraw(): void {
    this.#show();
  }

  #set(settings: ScoreSettings): void {
    this.#form.show(settings, this.#state.formOpen);
    void this.#host.request(setScores, settings);
  }

  #forget(): void {
    void this.#host.request(forgetStops, {});
    this.#stops = [];
    this.#change({ chosen: null });
    this.#show();
  }

  #change(change: Partial<ScorePageState>): void {
    const isOther = change.chosen !== undefined && change.chosen !== this.#state.chosen;
    this.#state = { ...this.#state, ...change };
    this.#host.save(this.#state);
    if (isOther) this.#show();
  }

  #at(now: Stop | null, reading: boolean): void {
    const texts = this.#texts;
    const said = now ? fill(texts.stoppedAt, now.where) : texts.notStopped;
    setText(this.#where, reading ? `${said} ${texts.reading}` : said);
  }

  #show(): void {
    const shown = this.#stops.find(({ id }) => id === this.#state.chosen) ?? this.#stops.at(-1);
    const items = this.#stops.map((stop) => ({ stop, made: this.#setOf(stop) }));
    for (const stop of this.#made.keys()) if (!this.#stops.includes(stop)) this.#made.delete(stop);
    this.#strip.show(items, shown?.id);
    this.#empty.hidden = shown !== undefined;
    this.#view.root.hidden = shown === undefined;
    if (!shown) return;
    const made = this.#setOf(shown);
    const step = stepOf(shown);
    const texts = this.#texts;
    const problems = [...made.problems, ...(step > 1 ? [fill(texts.everyNth, step)] : [])];
    this.#problems.hidden = problems.length === 0;
    fillWith(this.#problems, ...problems.map((problem) => element('li', {}, problem)));
    const title = `${fill(texts.stopName, shown.stop.where, shown.sample)} · ${fill(texts.took, Math.round(shown.took))}`;
    this.#view.show([{ ...made.set, title }]);
    this.#showStatistics(shown);
  }

  /** Of the whole arrays, where the cards have those of the sample. */
  #showStatistics({ readings }: ScoreStop): void {
    const lines = scoreRoles.flatMap((role) => {
      const one = readings[role];
      if (!one || !('value' in one) || !one.value.counted || one.value.shape.length === 0) return [];
      const { value } = one;
      const numbers = (['min', 'mean', 'max', 'std'] as const).map((name) => number(statistic(value, name), 3));
      const nan = statistic(value, 'nan');
      const infinite = statistic(value, 'above') + statistic(value, 'below');
      const odd = [
        nan > 0 && fill(this.#texts.oddNan, nan),
        infinite > 0 && fill(this.#texts.oddInfinite, infinite),
      ].filter(Boolean);
      const line = fill(this.#texts.statisticsOfAll, role, value.shape.join(' × '), value.dtype, ...numbers);
      return [
        element(
          'li',
          { 'data-role': role },
          line,
          odd.length > 0 && element('b', { class: 'error' }, `, ${odd.join(', ')}`),
        ),
      ];
    });
    this.#statistics.hidden = lines.length === 0;
    fillWith(this.#statistics, ...lines);
  }

  #setOf(stop: ScoreStop): StopSet {
    const made = this.#made.get(stop) ?? stopSetOf(this.#texts, stop);
    this.#made.set(stop, made);
    return made;
  }
}
