/** A stopped program, as the editor's debugger lets us ask it. */

export interface Debuggee {
  /** The debugger's type, such as `debugpy`. */
  readonly type: string;
  /** Path or name of the source where it stands; empty when unknown. */
  readonly source: string;
  /**
   * A request of the Debug Adapter Protocol, without waiting longer than it takes: callers bring the limit.
   * Rejects with what the adapter says.
   */
  request(command: string, args: object): Promise<unknown>;
  /** The stack frame in which expressions are evaluated. */
  readonly frameId: number | undefined;
  /** Aborted when the program runs on, or ends. */
  readonly resumed: AbortSignal;
}
