/** Where an export may go: a new folder, an empty one, or an earlier export, which it replaces. */
import fs from 'node:fs';
import path from 'node:path';
import { onDisk } from '../../files/disk.ts';
import { listFolder } from '../../files/folders.ts';
import { UserError } from '../../protocol/errors.ts';
import { dmdFile, indexFile } from '../../weights/diffusers/index.ts';
import { readOnnxMetadata } from '../../weights/onnx-metadata.ts';

/** Key of the metadata of every ONNX file that is written here. */
export const versionKey = 'dmd.version';

/** What an export consists of. */
const entries = ['text_encoder', 'unet', 'vae_decoder', 'tokenizer', 'scheduler', indexFile, dmdFile];

/** Throws UserError('io') for a file, and for a folder that holds anything else. */
export async function refuseOccupied(target: string): Promise<void> {
  const stat = onDisk('read', target, () => fs.statSync(target, { throwIfNoEntry: false }));
  if (stat && !stat.isDirectory()) {
    throw new UserError('io', `${target} is a file; a text-to-image model becomes a folder`, 'Name a new folder.');
  }
  const names = stat ? listFolder(target) : [];
  if (names.length === 0) return;
  const strange = names.find((name) => !entries.includes(name));
  if (strange === undefined && (await isOurs(path.join(target, 'unet', 'model.onnx')))) return;
  const why = strange === undefined ? 'it is no export of this program' : `it holds ${strange}`;
  throw new UserError('io', `${target} is not empty: ${why}`, 'Name a new folder, or delete that one first.');
}

async function isOurs(file: string): Promise<boolean> {
  const metadata = await readOnnxMetadata(file).catch(() => null);
  return metadata !== null && versionKey in metadata;
}
