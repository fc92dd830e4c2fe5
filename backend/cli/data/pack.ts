/** The work of `dmd data pack`: what becomes of the pictures, and what to do with them next. */
import { existsSync, statSync } from 'node:fs';
import { type Packed, packPictures } from '../../data/pack/pack.ts';
import { shellLine } from '../../files/shell-words.ts';
import { UserError } from '../../protocol/errors.ts';
import { interruptible } from '../interrupt.ts';
import type { CommonOptions, Output } from '../output.ts';
import { createProgress, type Progress, progressMode } from '../progress.ts';

export interface DataPackOptions extends CommonOptions {
  readonly size: number;
  readonly pad?: boolean;
  readonly gray?: boolean;
  readonly ground: 'black' | 'white';
  readonly skipBroken?: boolean;
  readonly replace?: boolean;
}

/** Throws UserError: 'usage' for an `out` that is no zip or in use, and what `packPictures` throws. */
export async function dataPack(folder: string, out: string, options: DataPackOptions, output: Output): Promise<void> {
  const { size, pad = false, gray = false, ground, skipBroken = false, replace = false } = options;
  checkOut(out, replace);
  let progress: Progress | undefined;
  const onProgress = (done: number, total: number) => {
    progress ??= createProgress(progressMode(output.json), 'pictures', total, { unit: 'pictures' });
    progress.update(done);
  };
  const packed = await interruptible((signal) =>
    packPictures({
      ...{ folder, out, size, how: pad ? 'pad' : 'crop', gray, ground: ground === 'white' ? 255 : 0 },
      ...{ skipBroken, signal, onProgress },
    }),
  ).finally(() => progress?.end());
  report(packed, out, { size, pad, gray }, output);
}

function checkOut(out: string, replace: boolean): void {
  if (!/\.zip$/i.test(out))
    throw new UserError('usage', `${out} does not end in .zip`, 'A data set is written as one zip.');
  if (!existsSync(out)) return;
  if (statSync(out).isDirectory()) throw new UserError('usage', `${out} is a folder`, 'Choose another name.');
  if (!replace) throw new UserError('usage', `${out} is there already`, 'Choose another name, or add --replace.');
}

interface Asked {
  readonly size: number;
  readonly pad: boolean;
  readonly gray: boolean;
}

function report(packed: Packed, out: string, { size, pad, gray }: Asked, output: Output): void {
  const { count, classes, oblong, enlarged, broken, others } = packed;
  const kind = `${count} pictures of ${size} x ${size}${gray ? ', gray' : ''}`;
  const names = classes.map(({ name, count: own }) => `${name} ${own}`).join(', ');
  output.line(
    `${out}: ${kind}, ${classes.length === 0 ? 'without classes' : `in ${classes.length} classes: ${names}`}`,
  );
  if (oblong > 0) {
    const kept = pad ? 'bars were added' : 'their middle was kept (--pad keeps all of them)';
    output.line(`not square: ${oblong}; ${kept}`);
  }
  if (enlarged > 0) output.line(`smaller than ${size} pixels and enlarged: ${enlarged}`);
  if (others > 0) output.line(`files that are no pictures, left alone: ${others}`);
  if (broken.length > 0) output.line(`pictures that cannot be read, left out: ${broken.length}`);
  for (const { name, reason } of broken) output.line(`  ${name}: ${reason}`);
  const keys = [
    `network.label_dim=${classes.length}`,
    `network.img_resolution=${size}`,
    `network.img_channels=${gray ? 1 : 3}`,
  ];
  const next = ['dmd', 'teach', '--preset', 'own-pictures', '--data', out, ...keys.flatMap((key) => ['--set', key])];
  output.line(`Next: ${shellLine(next)}`);
  output.event('packed', { out, size, ...packed });
}
