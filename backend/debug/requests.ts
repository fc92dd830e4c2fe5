/** Answers what a debugger asks. What concerns a stop is done one after the other, so that nothing is let go of while it is read. */
import { debugRequests, mostWriteBytes } from '../protocol/debug-requests.ts';
import { UserError } from '../protocol/errors.ts';
import type { RequestDefinition } from '../protocol/rpc/define.ts';
import { Changes } from './changes.ts';
import type { Debugger } from './debugger.ts';
import { completions } from './expression/complete.ts';
import { parseExpression, parseStatement } from './expression/parse.ts';
import type { DebugHost } from './host.ts';
import { firstBad } from './inside/first-bad.ts';
import { insideOf } from './inside/inside.ts';
import { below, bytesOf, children, Looking, tensorLines, wholeTensor } from './looking.ts';
import type { Standing } from './stop.ts';

type Answer<P, R> = (params: P, signal: AbortSignal) => R | Promise<R>;

/** Takes a handler for each request; what it is asked it answers at once, whatever the run does. */
export type Register = <P, R>(definition: RequestDefinition<P, R>, answer: Answer<P, R>) => void;

export function answerDebugging(host: DebugHost, debug: Debugger, register: Register): void {
  const looking = new Looking(host, debug);
  const changes = new Changes(host, debug);
  const stages = host.listing.flatMap(({ stage }) => stage ?? []);

  /** Of the session, at any time. */
  const on = <P extends { session: string }, R>(definition: RequestDefinition<P, R>, answer: Answer<P, R>): void =>
    register(definition, (params, signal) => {
      debug.session(params.session);
      return answer(params, signal);
    });
  /** At a stop, after what was asked of it before. */
  const atStop = <P extends { session: string }, R>(
    definition: RequestDefinition<P, R>,
    answer: (params: P, stop: Standing, signal: AbortSignal) => R | Promise<R>,
  ): void =>
    on(definition, (params, signal) => {
      const { stop } = debug;
      return stop.queue.add(async () => {
        signal.throwIfAborted();
        return answer(params, stop, signal);
      });
    });

  register(debugRequests['debug/attach'], ({ session, stop }) => {
    debug.attach(session, stop);
    const rules = debug.rules.map(({ check: _, ...rule }) => rule);
    const networks = host.trainer.networks.map(({ name }) => name);
    return { step: host.trainer.step, iterations: host.iterations, listing: host.listing, rules, networks };
  });
  on(debugRequests['debug/hold'], async ({ session }, signal) => {
    const reason = await debug.session(session).hold(signal, (why) => debug.end(session, why));
    return { reason };
  });
  on(debugRequests['debug/events'], ({ session, after }, signal) => debug.session(session).events.after(after, signal));
  on(debugRequests['debug/detach'], ({ session }) => {
    debug.end(session, 'it was detached');
    return null;
  });
  on(debugRequests['debug/breakpoints'], ({ session, ...lists }) => {
    const rules = debug.rules.map(({ rule }) => rule);
    return debug.session(session).breakpoints.set(lists, stages, rules);
  });
  on(debugRequests['debug/pause'], () => {
    if (!debug.stopNow) debug.moves.next('pause');
    return null;
  });
  on(debugRequests['debug/go'], async ({ how }) => {
    await debug.go((stop) => {
      if (how.to === 'next') debug.moves.next('step');
      if (how.to === 'stage') debug.moves.stage(how.stage);
      if (how.to === 'back') debug.moves.back(stop);
      if (how.to === 'restart') debug.moves.back(stop, how);
      if (how.to !== 'checkpoint') return;
      debug.moves.checkpoint(how.step);
      host.intervened(stop.place.step, `goes back to the checkpoint of step ${how.step}`);
    });
    return null;
  });
  on(debugRequests['debug/skip'], ({ networks }) => {
    debug.skip(networks);
    return null;
  });
  on(debugRequests['debug/checkpoints'], () => host.checkpoints());

  atStop(debugRequests['debug/tensors'], ({ names }, { held }, signal) => tensorLines(held, names, signal));
  atStop(debugRequests['debug/statistics'], async ({ tensor, path }, { held }, signal) => {
    const found = held.get(tensor);
    const { from, to } = below(found, path);
    return (await found.summary(from, to, signal)).statistics;
  });
  on(debugRequests['debug/numbers'], () => looking.numbers());
  atStop(debugRequests['debug/children'], ({ tensor, path, start, count }, { held }) =>
    children(held.get(tensor), path, start, count),
  );
  atStop(debugRequests['debug/read'], async ({ tensor, offset, count }, { held }) => {
    const found = held.get(tensor);
    return { bytes: await bytesOf(found, offset, count), size: 4 * found.size };
  });
  atStop(debugRequests['debug/write'], async ({ tensor, offset, bytes }) => {
    if (bytes.length > mostWriteBytes) {
      throw new UserError('usage', `${bytes.length} bytes are more than the ${mostWriteBytes} written at once`);
    }
    return { written: await changes.write(tensor, offset, bytes) };
  });
  atStop(debugRequests['debug/tensor'], async ({ tensor, path }, { held }) => ({
    tensor: await wholeTensor(held.get(tensor), path),
  }));

  on(debugRequests['debug/evaluate'], ({ expression, assigns }) =>
    inTurn(debug, async () => {
      const [, target = '', word = ''] = /^\s*([\w.]+)\s*=(?!=)(.*)$/s.exec(expression) ?? [];
      const chosen = assigns ? changes.chosen(target, word) : null;
      if (chosen) return looking.value(chosen);
      const statement = assigns ? parseStatement(expression) : parseExpression(expression);
      return looking.value('target' in statement ? await changes.assign(statement) : statement);
    }),
  );
  on(debugRequests['debug/assign'], ({ target, value }) =>
    inTurn(debug, async () => {
      const chosen = changes.chosen(target, value);
      if (chosen) return looking.value(chosen);
      const assignment = { target: parseExpression(target), value: parseExpression(value) };
      return looking.value(await changes.assign(assignment));
    }),
  );
  on(debugRequests['debug/complete'], ({ text, at }) => completions(text, at, debug.names()));

  atStop(debugRequests['debug/inside'], ({ scope }, stop, signal) => insideOf(host.engine, stop, scope, signal));
  atStop(debugRequests['debug/origin'], ({ tensor }, stop, signal) => firstBad(host.engine, stop, tensor, signal));
}

/** At a stop after what was asked of it before; else at once. */
function inTurn<R>(debug: Debugger, work: () => Promise<R>): Promise<R> {
  const { stopNow } = debug;
  return stopNow ? stopNow.queue.add(work) : work();
}
