/** This very process as a stopped JavaScript program: expressions are evaluated by the engine's own debugging protocol. */
import { Session } from 'node:inspector/promises';
import type { Debuggee } from '../../../extension/values/debuggee.ts';

export class Inspected {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
  }

  /** Runs a script in the global scope. */
  async run(script: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#session.post('Runtime.evaluate', {
      expression: script,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description?.split('\n')[0] ?? 'thrown');
    return result.value;
  }

  /** Answers `evaluate` as js-debug does. */
  debuggee(more: Partial<Debuggee> = {}): Debuggee {
    return {
      ...{ type: 'pwa-node', source: '/program.mjs', frameId: 1, resumed: new AbortController().signal },
      request: async (_, args) => ({ result: `'${await this.run((args as { expression: string }).expression)}'` }),
      ...more,
    };
  }

  dispose(): void {
    this.#session.disconnect();
  }
}
