/** `--name=number` on a bench's command line. */
import { availableParallelism } from 'node:os';

export function numberOption(name: string, fallback: number): number {
  const prefix = `--${name}=`;
  const argument = process.argv.find((each) => each.startsWith(prefix));
  if (!argument) return fallback;
  const value = Number(argument.slice(prefix.length));
  if (!(value > 0)) throw new Error(`${argument}: not a positive number`);
  return value;
}

/** Threads for everything that is measured: `--threads=N`, else all of the machine's. */
export const threadsOption = () => numberOption('threads', availableParallelism());

/** `--name=text`; undefined where it is not given. */
export function textOption(name: string): string | undefined {
  const prefix = `--${name}=`;
  return process.argv.find((each) => each.startsWith(prefix))?.slice(prefix.length);
}
