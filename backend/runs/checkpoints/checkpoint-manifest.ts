/**
 * `manifest.json` of a checkpoint: size and SHA-256 of every file. It is written last, and it carries a hash of itself,
 * so that a checkpoint that passes is the one that was saved, to the byte.
 */

import { createHash } from 'node:crypto';
import type { Written } from '../../files/atomic.ts';
import { safeParse } from '../../protocol/config/safe-parse.ts';
import { z } from '../../protocol/config/zod.ts';
import { parseJson } from '../../protocol/json.ts';
import { isLater, laterFormat } from '../folder/later-format.ts';

export interface FileEntry extends Written {
  /** How far each part of a file of tensors goes, in order, for naming the one that is damaged. Absent in old checkpoints. */
  readonly parts?: readonly FilePart[];
}

export interface FilePart {
  /** Of the tensor; null for the header. */
  readonly tensor: string | null;
  /** From the file's start to the part's end, and the SHA-256 of these. */
  readonly bytes: number;
  readonly sha256: string;
}

const format = 1;

export interface Manifest {
  readonly format: typeof format;
  readonly step: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** By file name within the checkpoint's folder. */
  readonly files: Readonly<Record<string, FileEntry>>;
}

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().min(0);

/** Whoever writes a manifest can give it a right hash of itself; what it says is checked all the same. */
const manifestSchema: z.ZodType<Manifest> = z.strictObject({
  format: z.literal(format),
  step: z.int().min(0),
  createdAt: z.string(),
  files: z.record(
    z.string().regex(/^[\w-][\w.-]*$/),
    z.strictObject({
      bytes: size,
      sha256: hash,
      parts: z.array(z.strictObject({ tensor: z.string().nullable(), bytes: size, sha256: hash })).optional(),
    }),
  ),
});

export function encodeManifest(manifest: Omit<Manifest, 'format'>): string {
  const whole = { format, ...manifest };
  return `${JSON.stringify({ ...whole, sha256: sha256(JSON.stringify(whole)) }, null, 2)}\n`;
}

/**
 * Throws Error saying what is wrong.
 * @throws UserError('data') for the sound manifest of a later format
 */
export function decodeManifest(text: string, file: string): Manifest {
  const { sha256: _, ...manifest } = z.looseObject({}).parse(parseJson(text)) as Partial<Manifest> & {
    sha256?: unknown;
  };
  if (text !== encodeManifest(manifest as Manifest)) throw new Error('it does not match its own hash');
  if (isLater(manifest.format, format)) throw laterFormat(file, manifest.format, format);
  const checked = safeParse(manifestSchema, manifest);
  if (checked.success) return checked.data;
  const [{ path, message }] = checked.error.issues;
  throw new Error(`${path.join('.')}: ${message}`);
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
