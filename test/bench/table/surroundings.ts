/** On what a table was measured: without it the numbers mean nothing. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../../backend/files/package.ts';
import { said } from './process.ts';

export function surroundings(python: string | null): string[] {
  const [cpu] = os.cpus();
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  // A bundle is no checkout; what starts it knows of which commit it is.
  const commit = process.env.DMD_COMMIT || said('git', ['-C', packageRoot(), 'log', '-1', '--format=%h of %as']);
  const changed = said('git', ['-C', packageRoot(), 'status', '--porcelain', '--untracked-files=no']) !== '';
  const gigabytes = (os.totalmem() / 1e9).toFixed(0);
  const busy = os.loadavg()[0]!.toFixed(1);
  return [
    `${cpu?.model.trim()}, ${os.availableParallelism()} threads, ${gigabytes} GB, ${os.type()} ${os.release()}${features()}`,
    `Node ${process.version}, ONNX Runtime ${version}${python === null ? '' : `; ${pythonVersions(python)}`}`,
    `commit ${commit || 'unknown'}${changed ? ', with changes' : ''}; ${new Date().toISOString().slice(0, 10)}; load ${busy} at the beginning`,
  ];
}

/** The folder of OpenVINO's libraries in a Python environment; '' where it has none. */
export function openVinoOf(python: string): string {
  return said(python, ['-c', "import openvino, os; print(os.path.join(openvino.__path__[0], 'libs'))"]);
}

function pythonVersions(python: string): string {
  const names = ['torch', 'diffusers', 'transformers', 'openvino'];
  const code = `import importlib.metadata as m, sys
print('Python', sys.version.split()[0], end='')
for name in ${JSON.stringify(names)}:
    try: print(',', name, m.version(name), end='')
    except m.PackageNotFoundError: pass`;
  return said(python, ['-c', code]);
}

/** What of the processor decides how fast products are; Linux. */
function features(): string {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync(path.join('/proc', 'cpuinfo'), 'utf8'))?.[1]?.split(' ') ?? [];
    const has = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'].filter((flag) => flags.includes(flag));
    return has.length > 0 ? `, ${has.join(' ')}` : '';
  } catch {
    return '';
  }
}
