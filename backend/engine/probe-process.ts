/** Runs a trial in a process of its own, so that a driver that crashes or hangs there is an answer here. */
import { fork } from 'node:child_process';

/** Runs a script that sends one message; whatever else it does becomes an error message. */
export function runProbe<Message>(
  script: string,
  args: readonly string[],
  timeLimitMs: number,
): Promise<Message | { error: string }> {
  const child = fork(script, args, {
    execArgv: loaderFlags(process.execArgv),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve) => {
    let complaint = '';
    const timer = setTimeout(() => {
      resolve({ error: `it gave no answer within ${timeLimitMs / 1000} seconds` });
      child.kill('SIGKILL');
    }, timeLimitMs);
    child.stderr?.on('data', (text) => {
      complaint += text;
    });
    child.on('message', (message) => resolve(message as Message));
    child.on('error', (error) => resolve({ error: `its trial process did not start: ${error.message}` }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const lastLine = complaint.trim().split('\n').at(-1) ?? '';
      resolve({ error: `its runtime crashed (${signal ?? `exit code ${code}`})${lastLine && `: ${lastLine}`}` });
    });
  });
}

/** The flags of this process that make its child understand the same sources. */
function loaderFlags(flags: readonly string[]): string[] {
  const kept: string[] = [];
  flags.forEach((flag, i) => {
    const [name, value] = flag.split('=');
    if (!['--import', '--require', '-r', '--loader', '--experimental-loader'].includes(name)) return;
    kept.push(...(value === undefined ? [flag, flags[i + 1]] : [flag]));
  });
  return kept;
}
