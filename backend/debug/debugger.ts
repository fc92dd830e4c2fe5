/**
 * A debugger in a run: watches the stages of an iteration while somebody wants to stop there, stands where it is to, and lets the
 * run go when it is told or nobody is there any more. A run that it is attached to without wanting anything pays nothing.
 *
 * Whatever it does happens between two stages, before anything is committed. Going back is computing the iteration again from the
 * same draws, with what was changed changed again. Its own faults end the session, not the run.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { UserError } from '../protocol/errors.ts';
import { type Between, IterationDropped, type Watch } from '../training/iteration.ts';
import { Edits } from './edits.ts';
import { alreadyDebugged, IterationAgain, notAttached, notStanding } from './errors.ts';
import type { Names } from './expression/evaluate.ts';
import { HeldTensors } from './held.ts';
import type { DebugHost } from './host.ts';
import { Judge } from './judge.ts';
import { Moves } from './moves.ts';
import { namesOf } from './names.ts';
import { type Measured, numericRule, ownRules, type Rule } from './rules.ts';
import { DebugSession } from './session.ts';
import { placeOf, Standing, type Why } from './stop.ts';

/** Iterations whose numbers are remembered. */
const mostMeasured = 256;

export class Debugger {
  readonly edits = new Edits();
  readonly moves: Moves;
  readonly rules: readonly Rule[];
  readonly #host: DebugHost;
  #session: DebugSession | null = null;
  #judge: Judge | null = null;
  #stop: Standing | null = null;
  #stops = 0;
  /** Waits for a debugger to come. */
  #waits = false;
  /** The iteration under way, or to come. */
  #step = 0;
  /** Networks whose update this iteration skips. */
  #skipped = new Set<string>();
  /** Looks at every stage for numbers that are not finite: the iteration has shown one. */
  #searches = false;
  /** The iteration in which such numbers were stopped at: not again. */
  #let = -1;
  readonly #measured: Measured[] = [];

  constructor(host: DebugHost) {
    this.#host = host;
    this.rules = [...ownRules, ...host.rules];
    this.moves = new Moves(host, this.edits);
  }

  /** Whether the run is to stay where it is. */
  get standing(): boolean {
    return this.#stop !== null || this.#waits;
  }

  /** For the trainer. The debugger comes and goes meanwhile. */
  get onStage(): Watch['onStage'] {
    if (!this.#session) return undefined;
    const points = this.#session.breakpoints.stages.some(({ problem }) => problem === null);
    return points || this.moves.watches || this.#searches || this.edits.last >= 0 ? this.#look : undefined;
  }

  /** For the trainer. */
  get onCommit(): Watch['onCommit'] {
    if (!this.#session) return undefined;
    const { data, exceptions } = this.#session.breakpoints;
    return data.length + exceptions.length + this.#skipped.size > 0 ? this.#look : undefined;
  }

  /** The stop. Throws UserError('usage') when the run does not stand. */
  get stop(): Standing {
    if (!this.#stop) throw notStanding();
    return this.#stop;
  }

  /** Null while the run goes. */
  get stopNow(): Standing | null {
    return this.#stop;
  }

  /** Throws UserError('usage') for a session that is not attached. */
  session(id: string): DebugSession {
    if (this.#session?.id !== id) throw notAttached();
    return this.#session;
  }

  /** @param stop at the entry of the next iteration. Throws UserError('locked') */
  attach(id: string, stop: boolean): void {
    if (this.#session) throw alreadyDebugged();
    this.#session = new DebugSession(id, (reason) => this.end(id, reason));
    this.#judge = new Judge(this.#session);
    this.moves.reset(stop || this.#waits);
    this.#waits = false;
    this.#host.wake();
  }

  /** Takes back what the session set, and lets a run that stands go. */
  end(id: string, reason: string): void {
    if (this.#session?.id !== id) return;
    this.#session.end(reason);
    this.#session = null;
    this.#judge = null;
    this.moves.reset(false);
    this.edits.clear();
    this.#searches = false;
    const overrides = this.#host.trainer.adjustable?.overrides;
    if (overrides && overrides.size > 0) {
      this.#host.intervened(this.#step, `the debugger left: ${[...overrides.keys()].join(', ')} as the config has it`);
      overrides.clear();
    }
    this.resume();
  }

  /** Lets a run that stands go, whoever wants it to. */
  resume(): void {
    this.#waits = false;
    this.#stop = null;
    this.#host.wake();
  }

  /** There is nothing to debug any more. */
  close(reason: string): void {
    if (this.#session) this.end(this.#session.id, reason);
  }

  /** Before the first iteration of a run that was started for a debugger. Settles when one is there, or nobody came. */
  async awaitDebugger(seconds: number): Promise<void> {
    if (this.#session) return;
    this.#waits = true;
    this.#host.note('info', 'the run waits for a debugger');
    const timer = setTimeout(() => this.resume(), seconds * 1000);
    const goesOn = await this.#host.wait();
    clearTimeout(timer);
    if (goesOn && !this.#session) this.#host.note('warning', `no debugger came within ${seconds} s: the run goes on`);
  }

  /** Before every iteration, and every pass of one. Throws IterationDropped when the run is to end, IterationAgain */
  async enter(step: number): Promise<void> {
    if (step !== this.#step) {
      this.#step = step;
      this.edits.clear();
      this.#skipped.clear();
      this.#searches = false;
      this.#let = -1;
    }
    this.#judge?.restart();
    if (!this.#session || !this.moves.entry) return;
    const why: Why = { reason: 'entry', text: `before iteration ${step}`, hits: [], rule: null };
    await this.#stand(new Standing(null, { step, micro: 0, stage: null, ordinal: 0 }, why));
  }

  /** An iteration was committed, and measured this. */
  done(step: number, numbers: Measured['numbers']): void {
    this.#measured.push({ step, numbers });
    if (this.#measured.length > mostMeasured) this.#measured.shift();
  }

  /** The run went back to the state after a step. */
  wentBack(step: number): void {
    while (this.#measured.length > 0 && this.#measured.at(-1)!.step > step) this.#measured.pop();
    this.#session?.breakpoints.forgetAfter(step);
    this.#step = 0;
  }

  /** The latest numbers that are known. */
  measuredNow(between: Between | null = this.#stop?.between ?? null): Measured | undefined {
    if (!between || Object.keys(between.scalars).length === 0) return this.#measured.at(-1);
    return { step: between.step, numbers: this.#host.tags(between.scalars) };
  }

  /** What names mean now. */
  names(between: Between | null = this.#stop?.between ?? null, held = this.#stop?.held): Names {
    const { adjustable, step } = this.#host.trainer;
    return namesOf({
      ...{ step: between?.step ?? this.#stop?.place.step ?? step + 1, micro: between?.micro ?? 0, adjustable },
      ...{ measured: this.measuredNow(between), held: held ?? new HeldTensors(between) },
    });
  }

  /** This iteration leaves these networks as they are. Throws UserError('usage') for an unknown one, or when the run goes. */
  skip(networks: readonly string[]): void {
    const { between, place } = this.stop;
    const known = this.#host.trainer.networks.map(({ name }) => name);
    const odd = networks.find((name) => !known.includes(name));
    if (odd !== undefined) {
      throw new UserError('usage', `no network '${odd}' is trained`, `There are ${known.join(' and ')}.`);
    }
    this.#skipped = new Set(networks);
    for (const name of known) between?.skipUpdate(name, this.#skipped.has(name));
    if (networks.length > 0) this.#host.intervened(place.step, `skips the update of ${networks.join(' and ')}`);
  }

  /** Lets the run go as `moves` says, once what is done with the stop is done. */
  async go(plan: (stop: Standing) => void): Promise<void> {
    const { stop } = this;
    await stop.queue.add(() => {
      if (this.#stop !== stop) throw notStanding();
      plan(stop);
      if (this.moves.goesBack) this.#let = -1;
      this.#stop = null;
    });
    this.#host.wake();
  }

  readonly #look = async (between: Between): Promise<void> => {
    try {
      await this.#looked(between);
    } catch (error) {
      if (error instanceof IterationDropped || error instanceof IterationAgain) throw error;
      this.#fail(error);
      throw new IterationAgain(between.step);
    }
  };

  async #looked(between: Between): Promise<void> {
    await turn(); // what was asked arrives now
    if (!this.#session) return;
    await this.edits.apply(between);
    for (const name of this.#skipped) between.skipUpdate(name);
    if (this.moves.passes(between)) return;
    const why = await this.#whyStop(between);
    if (why) await this.#stand(new Standing(between, placeOf(between), why));
  }

  async #whyStop(between: Between): Promise<Why | null> {
    const judge = this.#judge!;
    const names = this.names(between, new HeldTensors(between));
    const numeric = await this.#numeric(between, judge, names);
    // This pass is for finding them: the one before has told and stopped at everything else.
    if (numeric === null && this.#searches) return null;
    const last = between.stage === 'commit';
    const now = this.measuredNow(between);
    const rules = last && now ? await judge.rules(now, this.#measured, names, this.rules) : null;
    const data = last ? await judge.data(between, names) : null;
    const breakpoint = await judge.breakpoints(between, names);
    const found = [numeric, rules, data, breakpoint].filter((why) => why !== null);
    const hits = found.flatMap((why) => why.hits);
    const why = found[0] ?? this.moves.arrived(between);
    return why && { ...why, hits };
  }

  /** Numbers that are not finite, where somebody wants to stop at them: at the stage that made them. */
  async #numeric(between: Between, judge: Judge, names: Names): Promise<Why | null> {
    const wanted = this.#session!.breakpoints.exceptions.some(({ asked }) => asked.rule === numericRule.rule);
    if (!wanted || this.#let === between.step) return null;
    const watched = this.onStage !== undefined;
    const found = watched ? await judge.notFinite(between) : null;
    let text = found === null ? null : `${found} has numbers that are not finite`;
    if (text === null && between.stage === 'commit') {
      const bad = Object.entries(this.#host.tags(between.scalars)).filter(([, value]) => !Number.isFinite(value));
      if (bad.length === 0) return null;
      // Nobody looked at the stages: they are computed again, with somebody who does.
      if (!judge.searchedAll && !this.#searches) {
        this.#searches = true;
        throw new IterationAgain(between.step);
      }
      text = `${bad.map(([tag, value]) => `${tag} is ${value}`).join(', ')}; every stage's tensors are finite`;
    }
    if (text === null) return null;
    this.#let = between.step;
    this.#searches = false;
    return judge.numeric(text, names);
  }

  async #stand(stop: Standing): Promise<void> {
    const session = this.#session!;
    const { step } = stop.place;
    this.moves.reset(false);
    this.#stop = stop;
    this.#stops += 1;
    session.events.push({ type: 'stopped', ...stop.place, ...stop.why, stop: this.#stops });
    const goesOn = await this.#host.wait();
    this.#stop = null;
    await stop.queue.drained();
    stop.held.dispose();
    session.events.push({ type: 'continued' });
    if (!goesOn) throw new IterationDropped(step);
    const back = this.moves.takeBack();
    if (back) throw new IterationAgain(step, back.checkpoint);
  }

  #fail(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const text = `the debugger is off, since it failed: ${why}; the iteration is computed again without it`;
    this.#session?.events.push({ type: 'note', level: 'warning', text });
    this.#host.note('warning', text);
    if (this.#session) this.end(this.#session.id, text);
  }
}
