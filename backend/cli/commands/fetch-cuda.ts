/** `dmd devices --fetch cuda`: says what is fetched and under which licence, then does it. */
import type { CudaRequest } from '../../models/cuda/fetch.ts';
import { interruptible } from '../interrupt.ts';
import { type Output, table } from '../output.ts';
import { createProgress, progressMode } from '../progress.ts';

export interface FetchOptions extends Pick<CudaRequest, 'from' | 'root' | 'wheels' | 'index'> {
  readonly dryRun?: boolean | undefined;
}

export async function fetchCudaLibraries(output: Output, { dryRun, ...request }: FetchOptions): Promise<void> {
  const { fetchCuda, wantedWheels } = await import('../../models/cuda/fetch.ts');
  const wanted = wantedWheels(request);
  for (const { wheel, here } of wanted) {
    const { name, version, file, bytes, licence } = wheel;
    output.event('wanted', { name, version, file, bytes, here, licence });
  }
  const rows = wanted.map(({ wheel, here }) => [
    `${wheel.name} ${wheel.version}`,
    `${megabytes(wheel.bytes)} MB${here > 0 && request.from === undefined ? ` (${megabytes(here)} are here)` : ''}`,
    wheel.licence,
  ]);
  for (const line of table(rows)) output.line(line);
  const all = wanted.reduce((sum, { wheel }) => sum + wheel.bytes, 0);
  if (wanted.length > 0) {
    const unpacked = 'unpacked, the whole takes 1.6 GB; the licence texts are kept beside the libraries';
    output.line(`${megabytes(all)} MB; ${unpacked}. Whoever uses them accepts the licences.`);
  }
  if (dryRun) return;
  const progress = createProgress(progressMode(output.json), 'fetch', megabytes(all), { unit: 'MB' });
  const onProgress = (done: number, _total: number, what: string) => progress.update(megabytes(done), { now: what });
  const folder = await interruptible((signal) => fetchCuda({ ...request, signal, onProgress })).finally(progress.end);
  const already = wanted.length > 0 ? '' : ' already';
  output.line(`CUDA's libraries are in ${folder}${already}. dmd devices tries them.`);
  output.event('fetched', { device: 'cuda', folder });
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
