/**
 * `manifest.json` of a checkpoint: size and SHA-256 of every file. It is written last, and it carries a hash of itself,
 * so that a checkpoint that passes is the one that was saved, to the byte.
 */
import { createHash } from 'node:crypto';

export interface FileEntry {
  readonly bytes: number;
  readonly sha256: string;
}

export interface Manifest {
  readonly format: 1;
  readonly step: number;
  /** ISO 8601. */
  readonly createdAt: string;
  /** By file name within the checkpoint's folder. */
  readonly files: Readonly<Record<string, FileEntry>>;
}

export function entryOf(content: Uint8Array): FileEntry {
  return { bytes: content.length, sha256: sha256(content) };
}

export function encodeManifest(manifest: Manifest): string {
  return `${JSON.stringify({ ...manifest, sha256: sha256(JSON.stringify(manifest)) }, null, 2)}\n`;
}

/** Throws Error saying what is wrong. */
export function decodeManifest(text: string): Manifest {
  const { sha256: _, ...manifest } = JSON.parse(text) as Manifest & { sha256?: unknown };
  if (text !== encodeManifest(manifest)) throw new Error('it does not match its own hash');
  if (manifest.format !== 1) throw new Error(`it has the format ${manifest.format}; this version reads 1`);
  return manifest;
}

/** Why a file is not the one that was saved, '' when it is. */
export function mismatch(content: Uint8Array, entry: FileEntry): string {
  if (content.length !== entry.bytes) return `it has ${content.length} bytes instead of ${entry.bytes}`;
  return sha256(content) === entry.sha256 ? '' : 'its SHA-256 does not match the manifest';
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
