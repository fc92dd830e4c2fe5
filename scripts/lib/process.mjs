// Starting other programs. Nothing here goes through a shell, except npm and its like on Windows, which are .cmd files.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout, wherever the script was called from. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What `--import` takes to run the sources, wherever the process that inherits it runs. */
export const sourceLoader = new URL('../../test/sources.mjs', import.meta.url).href;

/**
 * Runs a program in the checkout on this terminal; resolves to its exit code (128 and the signal's number if killed).
 * @param onOutput hears what it prints, besides the terminal
 */
export function run(command, args, { env = process.env, onOutput } = {}) {
  const stdio = ['inherit', onOutput ? 'pipe' : 'inherit', 'inherit'];
  const child = spawn(command, args, { cwd: root, env, stdio, shell: needsShell(command) });
  child.stdout?.on('data', (data) => {
    process.stdout.write(data);
    onOutput(String(data));
  });
  // Ctrl-C reaches the child through the terminal: wait for it to finish in its own way instead of leaving it behind.
  const ignore = () => {};
  const forward = () => child.kill('SIGTERM');
  process.on('SIGINT', ignore);
  process.on('SIGTERM', forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  }).finally(() => {
    process.off('SIGINT', ignore);
    process.off('SIGTERM', forward);
  });
}

/** Runs a program silently; resolves to its exit code and everything it printed. A program that is not there gives 127. */
export function capture(command, args, { env = process.env, cwd = root, timeout = 0 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout,
      shell: needsShell(command),
    });
    let output = '';
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ code: 127, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

function needsShell(command) {
  return process.platform === 'win32' && command.endsWith('.cmd');
}
