// What the scripts print: one line per thing that happened, and errors that say what to do next.

/** Prints one plain line. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** An error for the person at the keyboard: shown without a stack, followed by what to do next. */
export class Failure extends Error {
  constructor(message, hint = '') {
    super(message);
    this.hint = hint;
  }
}

/** Runs a script's main function; its number is the exit code, a Failure is printed as two lines and exits 1. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    if (error.hint) process.stderr.write(`hint: ${error.hint}\n`);
    process.exitCode = 1;
  }
}

/** Seconds since `start` (a performance.now() value), with one decimal. */
export function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/** The last line of a program's output, which is where most say what went wrong. */
export function lastLine(text) {
  return text.trim().split('\n').at(-1);
}
