/** PyTorch in a process of its own: found, started, and asked for one iteration at a time. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** A Python with PyTorch: `DMD_BENCH_PYTHON`, else `python3`. Or the reason why there is none. */
export function findTorch(): { python: string; version: string } | { missing: string } {
  const python = process.env.DMD_BENCH_PYTHON ?? 'python3';
  const { status, stdout, error } = spawnSync(python, ['-c', 'import torch; print(torch.__version__)'], {
    encoding: 'utf8',
  });
  if (status === 0) return { python, version: stdout.trim() };
  return { missing: error ? `${python} does not start (${error.message})` : `${python} has no PyTorch` };
}

/** A child that answers each line with one line of JSON. */
export class LineProcess {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stderr.pipe(process.stderr);
    this.reader = createInterface({ input: this.child.stdout });
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  /** The next line it says, unasked. */
  async next(): Promise<unknown> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the process ended early');
    return JSON.parse(value);
  }

  ask(line = 'go'): Promise<unknown> {
    this.child.stdin.write(`${line}\n`);
    return this.next();
  }

  /** Ends its input; it leaves by itself. */
  close(): void {
    this.child.stdin.end();
    this.reader.close();
  }
}
