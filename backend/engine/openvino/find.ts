/**
 * Where OpenVINO's C library is: what `DMD_OPENVINO` names, else the usual places of `pip install openvino`, and those of Intel's own
 * packages. Nothing is downloaded, and no Python is run.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Names the library, the folder that holds it, or a Python environment in which OpenVINO is installed. */
export const variable = 'DMD_OPENVINO';

const fileName = {
  linux: /^libopenvino_c\.so(\.\d+)*$/,
  darwin: /^libopenvino_c(\.\d+)*\.dylib$/,
  win32: /^openvino_c\.dll$/,
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The library's path; or why there is none, in a line without a full stop. */
export function findOpenVino(
  environment: Environment = process.env,
): { readonly path: string } | { readonly reason: string } {
  const named = environment[variable];
  if (named !== undefined && named !== '') {
    const path = existsSync(named) && statSync(named).isFile() ? named : firstOf([named, ...environmentFolders(named)]);
    return path === undefined ? { reason: `${variable} is ${named}, where there is no OpenVINO` } : { path };
  }
  const path = firstOf(usualFolders(environment));
  return path === undefined
    ? {
        reason: `it is not installed: pip install openvino, and name its environment in ${variable} where it is not found`,
      }
    : { path };
}

/** The newest name in the first folder that has one. */
function firstOf(folders: readonly string[]): string | undefined {
  const wanted = fileName[process.platform as keyof typeof fileName];
  for (const folder of wanted ? folders : []) {
    const found = namesIn(folder)
      .filter((name) => wanted.test(name))
      .sort();
    if (found.length > 0) return join(folder, found.at(-1)!);
  }
  return undefined;
}

function usualFolders(environment: Environment): string[] {
  const { VIRTUAL_ENV, CONDA_PREFIX, INTEL_OPENVINO_DIR, PATH = '', LOCALAPPDATA } = environment;
  const prefixes = [VIRTUAL_ENV, CONDA_PREFIX, join(homedir(), '.local'), '/usr/local', '/usr', '/opt/homebrew'];
  // Whose python is the first one on the PATH: an environment that was put there without being activated.
  const ofPath = PATH.split(process.platform === 'win32' ? ';' : ':').map((folder) => join(folder, '..'));
  const windows = LOCALAPPDATA === undefined ? [] : pythonsOf(join(LOCALAPPDATA, 'Programs', 'Python'));
  const intel = [INTEL_OPENVINO_DIR, '/opt/intel/openvino'].filter((folder) => folder !== undefined);
  const known = [...new Set([...prefixes, ...ofPath, ...windows])].filter((prefix) => prefix !== undefined);
  return [...known.flatMap(environmentFolders), ...intel.map((folder) => join(folder, 'runtime', 'lib', 'intel64'))];
}

/** Where a Python environment has the wheel's libraries. */
function environmentFolders(prefix: string): string[] {
  const versions = namesIn(join(prefix, 'lib')).filter((name) => /^python3(\.\d+)?$/.test(name));
  const packages = [
    ...versions.flatMap((name) => ['site-packages', 'dist-packages'].map((kind) => join(prefix, 'lib', name, kind))),
    join(prefix, 'Lib', 'site-packages'),
  ];
  return packages.map((folder) => join(folder, 'openvino', 'libs'));
}

const pythonsOf = (folder: string) => namesIn(folder).map((name) => join(folder, name));

/** [] for what cannot be looked into. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
