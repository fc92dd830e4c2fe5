/** `dmd download`: a text-to-image model from the Hugging Face hub. */
import type { Command } from 'commander';
import { type CommonOptions, commonOptions, createOutput } from '../output.ts';

interface DownloadOptions extends CommonOptions {
  readonly revision: string;
  readonly variant?: string;
  readonly file?: readonly string[];
}

const notes = `
Files go to the hub's usual cache (HF_HUB_CACHE, HF_HOME or ~/.cache/huggingface), which Python programs share. A download
that was broken off goes on where it was; every file's hash is checked. HF_TOKEN is used where a model asks for a login, and
HF_ENDPOINT names a mirror.
Afterwards the model's name is enough:

  dmd download stable-diffusion-v1-5/stable-diffusion-v1-5 --variant fp16
  dmd sample stable-diffusion-v1-5/stable-diffusion-v1-5 --prompt "a lighthouse in a storm"`;

export function registerDownload(program: Command): void {
  commonOptions(program.command('download'))
    .description('fetch a text-to-image model from the Hugging Face hub')
    .argument('<model>', 'ORGANISATION/NAME')
    .option('--revision <name>', 'branch, tag or commit', 'main')
    .option('--variant <name>', 'precision of the weights, e.g. fp16 (default: the full one)')
    .option('--file <path>', 'exactly this file instead of a whole model; may be repeated', collect)
    .addHelpText('after', notes)
    .action(download);
}

async function download(repository: string, options: DownloadOptions): Promise<void> {
  const output = createOutput(options);
  const { openHub } = await import('../../models/hub/client.ts');
  const { downloadModel } = await import('../../models/hub/download.ts');
  const { createProgress, progressMode } = await import('../progress.ts');
  const { interruptible } = await import('../interrupt.ts');
  const { revision, variant, file } = options;
  let progress: ReturnType<typeof createProgress> | undefined;
  const onProgress = (done: number, total: number, name: string) => {
    progress ??= createProgress(progressMode(output.json), 'download', megabytes(total), { unit: 'MB' });
    progress.update(megabytes(done), { file: name });
  };
  try {
    const downloaded = await interruptible(async (signal) =>
      downloadModel({
        ...{ repository, client: await openHub({ signal }), revision, onProgress, signal },
        ...(variant === undefined ? {} : { variant }),
        ...(file ? { files: file } : {}),
      }),
    );
    progress?.end();
    output.line(`${downloaded.files.length} files, ${megabytes(downloaded.bytes)} MB, in ${downloaded.folder}`);
    output.event('downloaded', { repository, ...downloaded });
  } finally {
    progress?.end();
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
