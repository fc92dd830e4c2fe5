/** The cursor's controls: where it is, a slider over all steps with marks at the recorded ones, steps, play, live. */
import { apply, element, fillWith, icon, setText } from '../shared/dom.ts';
import { count } from '../shared/format.ts';
import { beforeNextFrame } from '../shared/frame.ts';
import { icons } from '../shared/icons.ts';
import { fill } from '../shared/initial.ts';
import { isWorking, type Monitor } from './monitor.ts';
import type { Player } from './player.ts';

/** More marks than this would be a line. */
const mostMarks = 400;

export class CursorBar {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #player: Player;
  readonly #step = element('output', { class: 'number step', for: 'step-slider' });
  readonly #slider = element('input', { type: 'range', id: 'step-slider', step: 1 });
  readonly #marks = element('div', { class: 'marks', 'aria-hidden': 'true' });
  readonly #play: HTMLButtonElement;
  readonly #pin: HTMLButtonElement;
  readonly #live: HTMLButtonElement;
  readonly #updateSoon = beforeNextFrame(() => this.#update());
  #marksKey = '';

  constructor(monitor: Monitor, player: Player) {
    this.#monitor = monitor;
    this.#player = player;
    const { texts, cursor } = monitor;
    const button = (title: string, key: string, picture: string, press: () => void) =>
      element(
        'button',
        { class: 'plain', title: `${title} (${key})`, 'aria-label': title, 'aria-keyshortcuts': key, onclick: press },
        icon(picture),
      );
    apply(this.#slider, { 'aria-label': texts.stepSlider, title: texts.keysHint });
    this.#slider.addEventListener('input', () => cursor.goTo(Number(this.#slider.value)));
    this.#play = button(texts.play, 'Space', icons.play, () => player.toggle());
    this.#pin = element('button', {
      class: 'plain',
      onclick: () => (cursor.mode === 'pinned' ? cursor.unpin() : cursor.pin(cursor.step)),
    });
    this.#pin.append(icon(icons.pin));
    this.#live = element(
      'button',
      { class: 'plain text live', title: texts.liveHint, onclick: () => cursor.follow() },
      element('span', { class: 'dot', 'aria-hidden': 'true' }),
      texts.live,
    );
    this.root = element(
      'div',
      { class: 'cursor-bar', role: 'toolbar', 'aria-label': texts.cursor },
      element(
        'div',
        { class: 'buttons' },
        button(texts.previousRecorded, 'Shift+Left', icons.previousRecorded, () => cursor.move(-1, true)),
        button(texts.previousStep, 'Left', icons.previous, () => cursor.move(-1, false)),
        this.#play,
        button(texts.nextStep, 'Right', icons.next, () => cursor.move(1, false)),
        button(texts.nextRecorded, 'Shift+Right', icons.nextRecorded, () => cursor.move(1, true)),
      ),
      element('span', { class: 'where' }, element('span', { class: 'muted' }, texts.step), this.#step),
      element('div', { class: 'track' }, this.#slider, this.#marks),
      element('div', { class: 'buttons' }, this.#pin, this.#live),
    );
    cursor.onMove.on(() => this.#updateSoon());
    monitor.onRuns.on(() => this.#updateSoon());
    monitor.onView.on(() => this.#updateSoon());
    player.onChange.on(() => this.#updateSoon());
    this.#updateSoon();
  }

  update(): void {
    this.#updateSoon();
  }

  #update(): void {
    const { cursor, texts, focus } = this.#monitor;
    const { step, mode } = cursor;
    const last = Math.max(1, focus?.lastStep ?? 1);
    apply(this.#slider, { min: 0, max: last, 'aria-valuetext': fill(texts.atStep, count(step)) });
    this.#slider.value = String(step);
    setText(this.#step, count(step));
    this.root.dataset.mode = mode;
    const pinned = mode === 'pinned';
    const pinTitle = pinned ? texts.unpin : texts.pin;
    apply(this.#pin, { 'aria-pressed': String(pinned), title: pinTitle, 'aria-label': pinTitle });
    const { playing } = this.#player;
    const playTitle = playing ? texts.pausePlay : texts.play;
    apply(this.#play, { title: `${playTitle} (Space)`, 'aria-label': playTitle });
    this.#play.replaceChildren(icon(playing ? icons.pause : icons.play));
    apply(this.#live, { 'aria-pressed': String(mode === 'live') });
    // A run that is over has nothing to follow.
    this.#live.hidden = focus === undefined || !isWorking(focus);
    this.#live.classList.toggle('on', mode === 'live');
    this.#showMarks(last);
  }

  /** Where samples or fields were recorded. */
  #showMarks(last: number): void {
    const steps = this.#monitor.recordedSteps();
    const every = Math.ceil(steps.length / mostMarks);
    const shown = steps.filter((_, i) => i % every === 0);
    const key = `${last} ${shown.join()}`;
    if (key === this.#marksKey) return;
    this.#marksKey = key;
    fillWith(
      this.#marks,
      ...shown.map((step) => {
        const mark = element('span', {});
        mark.style.left = `${(step / last) * 100}%`;
        return mark;
      }),
    );
  }
}
