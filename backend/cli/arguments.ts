/** Readers of option values, where a wrong one is a usage error that says what is expected; options of many commands. */
import { existsSync } from 'node:fs';
import os from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { expandPath, pathProblem } from '../protocol/path-text.ts';
import { parseSeed, type Seed, seedOf, seedRange } from '../protocol/seed.ts';

/** 0, 1, 2, ... */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new InvalidArgumentError('Expected 0, 1, 2, ...');
  return Number(text);
}

/** 1, 2, 3, ... */
export function positiveInteger(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('Expected 1, 2, 3, ...');
  return value;
}

/** '0,5,10-12' -> [0, 5, 10, 11, 12]: whole numbers and inclusive ranges, in the order given. */
export function numberList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-', 2);
    const [first, last] = [wholeNumber(from), wholeNumber(to)];
    if (part.split('-').length > 2 || first > last || last - first >= 1e7) {
      throw new InvalidArgumentError('Expected numbers and ranges, like 0,5,10-12.');
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** '0-3,-1,18446744073709551615' -> seeds as PyTorch takes them, and inclusive ranges of them, in the order given. */
export function seedList(text: string): Seed[] {
  return text.split(',').flatMap((part) => {
    const [, from = '', to = from] = /^\s*(-?\d+)(?:-(-?\d+))?\s*$/.exec(part) ?? [];
    const [first, last] = [parseSeed(from), parseSeed(to)];
    if (first === null || last === null)
      throw new InvalidArgumentError(`Expected seeds, like 0-15 or 1,-5: ${seedRange}.`);
    const count = BigInt(last) - BigInt(first) + 1n;
    if (count < 1n || count > 10_000_000n) {
      throw new InvalidArgumentError('Expected seeds and ranges that go up, like 0-15 or -3--1.');
    }
    return Array.from({ length: Number(count) }, (_, i) => seedOf(BigInt(first) + BigInt(i)));
  });
}

/** How a picture's file name says its seed: with six digits, so that names sort as seeds do. */
export function seedInName(seed: Seed): string {
  const text = String(seed);
  return text.startsWith('-') ? `-${text.slice(1).padStart(6, '0')}` : text.padStart(6, '0');
}

/** '512x768' -> [512, 768]: height and width in pixels. */
export function imageSize(text: string): [number, number] {
  const [height, width, ...rest] = text.split('x').map(positiveInteger);
  if (height === undefined || width === undefined || rest.length > 0) {
    throw new InvalidArgumentError('Expected height and width, like 512x768.');
  }
  return [height, width];
}

/** `--device` and `--threads`. Without defaults (a training takes them from its config) they are left undefined. */
export function deviceOptions(command: Command, device?: string): Command {
  command.option(
    '--device <name>',
    'auto (the fastest), cpu, webgpu, cuda, dml, coreml or tensorflow; see dmd devices',
    device,
  );
  return threadsOption(command, device === undefined ? undefined : 0);
}

/** `--threads` alone, for what runs on the CPU only. */
export function threadsOption(command: Command, threads?: number): Command {
  return command.option('--threads <n>', 'CPU threads; 0: one per core', wholeNumber, threads);
}

/** What `--prompt-column` is, of every command with a file of prompts. */
export const promptColumnHelp =
  'key or column that holds the prompts, e.g. TEXT; a number from 1 on where the first line of a table names none';

/**
 * A path, or the name of a model; `--out=~/x` and what VS Code passes on come without a shell that replaces their `~`.
 * What is there under an odd name, such as a run that an earlier version put into a folder called `$HOME`, can be named.
 */
export function pathArgument(text: string): string {
  const problem = existsSync(text) ? '' : pathProblem(text);
  if (problem !== '') throw new InvalidArgumentError(`${problem}.`);
  return expandPath(text, os.homedir());
}

/** Has `pathArgument` read every argument of a command and those below it, and every option that its help calls a file or folder. */
export function readPaths(command: Command): void {
  for (const argument of command.registeredArguments) {
    const before: string[] = [];
    argument.argParser((text) => {
      if (!argument.variadic) return pathArgument(text);
      before.push(pathArgument(text));
      return before;
    });
  }
  for (const option of command.options) {
    if (/<(file|dir|path|folder|run)>/.test(option.flags) && !option.parseArg) option.argParser(pathArgument);
  }
  for (const inner of command.commands) readPaths(inner);
}
