/** What the run in focus is, how far it is, and what can be done with it. */
import {
  addRuns,
  commandRun,
  openConfig,
  openTensorBoard,
  resumeRun,
  resumeWithChanges,
  saveCsv,
} from '../../backend/protocol/panels/monitor.ts';
import type { MonitorTexts } from '../../backend/protocol/panels/monitor-texts.ts';
import type { RunRecord, ShownState } from '../../backend/protocol/rpc/runs.ts';
import type { RunCommand } from '../../backend/protocol/run-requests.ts';
import { apply, element, fillWith, icon, setText } from '../shared/dom.ts';
import { count, time } from '../shared/format.ts';
import { isCancelled, type Problem, problemOf } from '../shared/host.ts';
import { icons } from '../shared/icons.ts';
import { fill } from '../shared/initial.ts';
import { button } from '../shared/toolkit.ts';
import { HealthSection } from './health.ts';
import type { Monitor } from './monitor.ts';
import { RanksSection } from './ranks.ts';
import './header.css';

export class Header {
  readonly root: HTMLElement;
  readonly #monitor: Monitor;
  readonly #name = element('h1', {});
  readonly #state = element('span', { class: 'state' });
  #shownState = '';
  readonly #progress = element('div', {
    class: 'progress',
    role: 'progressbar',
    'aria-valuemin': 0,
    'aria-valuemax': 100,
  });
  readonly #facts = element('p', { class: 'facts muted' });
  readonly #actions = element('div', { class: 'actions' });
  readonly #health: HealthSection;
  readonly #ranks: RanksSection;
  readonly #messages = element('div', { class: 'messages' });
  #shownMessages = '';
  readonly #spoken = element('p', { class: 'spoken', role: 'status' });
  #failure = '';
  /** What came of the last action, where there is something to tell, and of which run. */
  #outcome: { readonly folder: string; readonly text: string } | null = null;
  /** Actions that wait for their end: one that takes long must not keep the others, Stop above all. */
  readonly #busy = new Set<string>();
  #actionsKey = '';

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
    this.#health = new HealthSection(monitor.texts);
    this.#ranks = new RanksSection(monitor.texts);
    this.root = element(
      'header',
      { class: 'top' },
      element('div', { class: 'title' }, this.#name, this.#state, this.#facts),
      this.#actions,
      this.#progress,
      this.#health.root,
      this.#ranks.root,
      this.#messages,
      this.#spoken,
    );
    monitor.onRuns.on(() => this.update());
    this.update();
  }

  /** Its curves grew. */
  updateRanks(): void {
    this.#ranks.show(this.#monitor.focus);
  }

  update(): void {
    const { focus, texts, ready, problem } = this.#monitor;
    const record = focus?.record;
    setText(this.#name, focus?.name ?? (problem ? '' : ready ? texts.noRuns : texts.loading));
    apply(this.#name, { title: focus?.folder });
    this.#state.hidden = !record;
    this.#showMessages();
    this.#health.show(focus?.health ?? null);
    this.#ranks.show(focus);
    this.#showActions(record);
    this.#progress.hidden = !record;
    if (!record) {
      setText(this.#facts, '');
      return;
    }
    const state = stateText(texts, record.state);
    this.#showState(record.state, state);
    const facts = factsOf(texts, record, focus!.lastStep);
    setText(this.#facts, facts.join(' · '));
    const done = record.work ? record.work.done / record.work.total : record.step / record.iterations;
    const percent = Math.round(100 * Math.min(1, done || 0));
    this.#progress.style.setProperty('--done', `${percent}%`);
    apply(this.#progress, { 'aria-valuenow': percent, 'aria-label': facts[0] });
    setText(this.#spoken, [`${focus!.name}: ${state}`, this.#failure, this.#told].filter(Boolean).join('. '));
  }

  /** A shape and a colour of its own for each: a run that was stopped is seen to be. */
  #showState(state: ShownState, text: string): void {
    if (this.#shownState === state) return;
    this.#shownState = state;
    apply(this.#state, { 'data-state': state });
    fillWith(this.#state, icon(icons[stateIcons[state]]), text);
  }

  /** What came of the last action on the run in focus. */
  get #told(): string {
    const { focus } = this.#monitor;
    return this.#outcome && this.#outcome.folder === focus?.folder ? this.#outcome.text : '';
  }

  #showActions(record: RunRecord | undefined): void {
    const { texts, focus } = this.#monitor;
    const reachable = record?.process?.reachable === true;
    const state = record?.state;
    const canEnd = reachable && (state === 'running' || state === 'paused');
    const canResume = state === 'stopped' || state === 'failed' || state === 'interrupted';
    const stopped = record?.error?.stop;
    const key = JSON.stringify([focus?.folder, canEnd, canResume, stopped, state, ...this.#busy]);
    if (key === this.#actionsKey) return;
    this.#actionsKey = key;
    const action = (title: string, picture: keyof typeof icons, run: () => Promise<unknown>) => {
      return button(
        { appearance: 'secondary', disabled: this.#busy.has(title), onclick: () => void this.#do(run, title) },
        icon(icons[picture]),
        title,
      );
    };
    const { host } = this.#monitor;
    const folder = focus?.folder ?? '';
    const send = (command: RunCommand) => () => host.request(commandRun, { folder, command });
    const save = async () => {
      const { step } = await host.request(commandRun, { folder, command: 'checkpoint' });
      this.#outcome = { folder, text: fill(texts.checkpointSaved, count(step)) };
    };
    fillWith(
      this.#actions,
      canEnd && state === 'running' && action(texts.pause, 'pause', send('pause')),
      canEnd && state === 'paused' && action(texts.resume, 'play', send('resume')),
      canEnd && action(texts.checkpoint, 'save', save),
      canEnd && action(texts.stop, 'stop', send('stop')),
      stopped !== undefined &&
        action(texts.showStopped, 'inspect', async () => this.#monitor.showStopped(folder, stopped)),
      // Drawn as before and computed as before, it would stop at the same step again.
      canResume &&
        stopped === undefined &&
        action(texts.resume, 'play', () => host.request(resumeRun, { folder, set: [] })),
      canResume && action(texts.resumeWithChanges, 'play', () => host.request(resumeWithChanges, { folder })),
      link(texts.addRun, () => this.#do(() => host.request(addRuns, {}))),
      record?.kind && link(texts.openConfig, () => this.#do(() => host.request(openConfig, { folder }))),
      record && link(texts.saveCsv, () => this.#do(() => host.request(saveCsv, { folder, tags: focus!.tags }))),
      record && link(texts.tensorBoard, () => this.#do(() => host.request(openTensorBoard, { folder }))),
    );
  }

  /** Made anew only where they differ, so that Try Again keeps the focus while it tries. */
  #showMessages(): void {
    const { focus, texts, problem } = this.#monitor;
    const { error } = focus?.record ?? {};
    const messages: Message[] = [
      { text: this.#failure, kind: 'error' },
      { text: this.#told },
      { text: problem && sentences('', problem), kind: 'error', again: () => this.#monitor.start() },
      {
        text: focus?.problem && sentences(fill(texts.cannotRead, focus.name), focus.problem),
        kind: 'error',
        again: () => this.#monitor.focus?.load(),
      },
      { text: error && sentences('', error), kind: 'error' },
      ...(focus?.warnings ?? []).map((text): Message => ({ text, kind: 'warning' })),
    ];
    const shown = messages.filter(({ text }) => text);
    const content = JSON.stringify([focus?.folder, shown]);
    if (content === this.#shownMessages) return;
    this.#shownMessages = content;
    fillWith(this.#messages, ...shown.map((message) => this.#line(message)));
  }

  #line({ text, kind, again }: Message): HTMLElement {
    if (!kind) return element('p', { class: 'message' }, text);
    const button = again && link(this.#monitor.texts.tryAgain, () => void again());
    return element('p', { class: `message ${kind}` }, icon(icons.warning), element('span', {}, text), button ?? null);
  }

  /** What goes wrong is said here, and heard. */
  async #do(run: () => Promise<unknown>, title = ''): Promise<void> {
    this.#busy.add(title);
    this.#failure = '';
    this.#outcome = null;
    this.update();
    try {
      await run();
    } catch (error) {
      if (!isCancelled(error)) this.#failure = sentences('', problemOf(error));
    }
    this.#busy.delete(title);
    this.update();
  }
}

interface Message {
  /** Nothing is shown where there is none. */
  readonly text: string | null | undefined;
  readonly kind?: 'error' | 'warning';
  /** What Try Again does. */
  readonly again?: () => unknown;
}

function link(title: string, open: () => void): HTMLElement {
  return element('button', { class: 'plain text', onclick: open }, title);
}

const stateIcons: Readonly<Record<ShownState, keyof typeof icons>> = {
  queued: 'clock',
  running: 'play',
  paused: 'pause',
  stopping: 'clock',
  stopped: 'stop',
  finished: 'check',
  failed: 'cross',
  interrupted: 'broken',
  damaged: 'warning',
};

function sentences(intro: string, { message, hint }: Problem): string {
  const closed = (text: string) => (text === '' || /[.!?…:]$/.test(text) ? text : `${text}.`);
  return [intro, closed(message), closed(hint)].filter(Boolean).join(' ');
}

function factsOf(texts: MonitorTexts, record: RunRecord, lastStep: number): string[] {
  const { work, step, iterations, secondsLeft, device, threads, ranks, state } = record;
  const running = state === 'running' || state === 'queued';
  const place = work
    ? fill(texts.work, work.label, count(work.done), count(work.total))
    : iterations > 0
      ? fill(texts.stepOf, count(step), count(iterations))
      : // Another program says how far it is by what it recorded.
        fill(texts.healthAtStep, count(lastStep));
  const by = threads > 0 ? fill(threads === 1 ? texts.oneThread : texts.threads, threads) : '';
  return [
    place,
    running && secondsLeft !== null ? fill(texts.timeLeft, time(secondsLeft)) : '',
    [device, by, ranks > 1 ? fill(texts.ranks, ranks) : ''].filter(Boolean).join(', '),
  ].filter(Boolean);
}

export function stateText(texts: MonitorTexts, state: ShownState): string {
  const names: Record<ShownState, string> = {
    queued: texts.stateQueued,
    running: texts.stateRunning,
    paused: texts.statePaused,
    stopping: texts.stateStopping,
    stopped: texts.stateStopped,
    finished: texts.stateFinished,
    failed: texts.stateFailed,
    interrupted: texts.stateInterrupted,
    damaged: texts.stateDamaged,
  };
  return names[state];
}
