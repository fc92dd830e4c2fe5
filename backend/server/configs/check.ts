/**
 * What is wrong with a config's text: by itself, with exact places, and with what it names. Typing stays fast: files are
 * looked into again only when they or the keys that name them have changed.
 */
import fs from 'node:fs';
import path from 'node:path';
import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import type { Finding } from '../../methods/common/finding.ts';
import { type Config, configProblems, mapPaths, parseConfig, sectionOf, valueAt } from '../../protocol/config/index.ts';
import { UserError } from '../../protocol/errors.ts';
import { pathProblem } from '../../protocol/path-text.ts';
import type { ConfigProblem } from '../../protocol/rpc/index.ts';
import { launcherProgram, requireMachines } from '../../ranks/launch/launcher.ts';
import { configFromText } from '../../runs/config-file.ts';

export type FindFindings = (config: Config) => Promise<readonly Finding[]>;

const mostRemembered = 50;

export class ConfigChecker {
  readonly #find: FindFindings;
  /** What was found, by what was looked into. */
  readonly #known = new Map<string, Promise<readonly Finding[]>>();

  constructor(find: FindFindings) {
    this.#find = find;
  }

  /** Never rejects for what a text says. */
  async problems(content: string, file: string): Promise<ConfigProblem[]> {
    const text = content.replace(/^\uFEFF/, '');
    const shift = content.length - text.length;
    const problems = configProblems(text).map(
      ({ code, offset, length, what, replacement }): ConfigProblem => ({
        ...{ code, offset: offset + shift, length, message: what, severity: 'error', replacement },
      }),
    );
    if (problems.length > 0) return problems;
    const root = parseTree(text)!;
    const paths = pathProblems(text, file, root);
    if (paths.length > 0) return paths.map((found) => ({ ...found, offset: found.offset + shift }));
    const findings = await this.#findings(configFromText(text, file));
    const placed = findings.map(({ key, message, severity }): ConfigProblem => {
      const { offset, length } = placeOf(root, key);
      return { code: 'environment', offset: offset + shift, length, message, severity, replacement: null };
    });
    return placed.sort((a, b) => a.offset - b.offset);
  }

  #findings(config: Config): Promise<readonly Finding[]> {
    const key = keyOf(config);
    const found = this.#known.get(key) ?? this.#find(config);
    this.#known.delete(key);
    this.#known.set(key, found);
    found.catch(() => this.#known.delete(key));
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostRemembered && oldest !== undefined) this.#known.delete(oldest);
    return found;
  }
}

/** Paths that only a shell or an editor could read. */
function pathProblems(text: string, file: string, root: Node): ConfigProblem[] {
  const bad = new Map<string, string>();
  mapPaths(parseConfig(text, file), (value) => {
    const problem = pathProblem(value);
    if (problem !== '') bad.set(value, problem);
    return value;
  });
  return textsIn(root).flatMap(({ value, offset, length }): ConfigProblem[] => {
    const message = bad.get(value);
    return message === undefined
      ? []
      : [{ code: 'value', offset, length, message, severity: 'error', replacement: null }];
  });
}

function textsIn(node: Node): Node[] {
  if (node.type === 'string') return [node];
  return (node.type === 'property' ? node.children!.slice(1) : (node.children ?? [])).flatMap(textsIn);
}

/** The device that a config asks for by name. */
export async function deviceFindings({ device }: Config): Promise<Finding[]> {
  if (device === 'auto' || device === 'cpu') return [];
  const { chooseDevice } = await import('../../engine/devices.ts');
  try {
    await chooseDevice({ device });
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ key: 'device', severity: 'error', message: error.message }];
  }
}

/** What a config wants its run to be started with. */
export function launchFindings({ launch }: Config): Finding[] {
  const { ranks, hostfile } = launch.mpi;
  if (ranks === 1) return [];
  const checks = {
    'launch.mpi': () => launcherProgram(process.env),
    'launch.mpi.hostfile': () => hostfile !== undefined && requireMachines(hostfile),
  };
  return Object.entries(checks).flatMap(([key, check]): Finding[] => {
    try {
      check();
      return [];
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return [{ key, severity: 'error', message: error.message }];
    }
  });
}

/** Everything that the findings depend on. */
function keyOf(config: Config): string {
  const named: string[] = [];
  mapPaths(config, (file) => {
    for (const part of ['', 'pairs.json', 'dataset.json']) named.push(stampOf(path.join(file, part)));
    return file;
  });
  const own = config.kind === 'distill' ? sectionOf(config.method).opens : [];
  const values = ['device', 'launch', ...opens[config.kind], ...own].map((key) => valueAt(config, key) ?? null);
  return JSON.stringify([config.kind, values, named]);
}

/** The keys of a config that decide what is opened, besides files that changed. */
const opens: Readonly<Record<Config['kind'], readonly string[]>> = {
  distill: ['teacher', 'labels', 'text'],
  teach: ['network', 'data', 'initial'],
  'teach-autoencoder': ['network', 'data', 'initial'],
  'teach-text-encoder': ['tokenizer', 'text_encoder', 'image_encoder'],
  'teach-text': ['vae', 'tokenizer', 'unet', 'text_encoder', 'scheduler', 'initial', 'initialText'],
};

/** Any text may be typed as a path. */
function stampOf(file: string): string {
  try {
    const { ino, mtimeMs, size } = fs.statSync(file);
    return `${file} ${ino} ${mtimeMs} ${size}`;
  } catch {
    return `${file} none`;
  }
}

/** The value of a key; where it is a default, the innermost object around it that is there, or `kind`. */
function placeOf(root: Node, key: string): { offset: number; length: number } {
  const keys = key.split('.');
  const own = findNodeAtLocation(root, keys);
  if (own) return own;
  for (let length = keys.length - 1; length > 0; length--) {
    const name = findNodeAtLocation(root, keys.slice(0, length))?.parent?.children?.[0];
    if (name) return name;
  }
  return findNodeAtLocation(root, ['kind']) ?? root;
}
