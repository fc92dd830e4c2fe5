/**
 * Prompts from a file: one per line, or COCO's captions (captions_val2014.json), of which each image gives its first, in
 * the order in which the file first names the images.
 */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../protocol/errors.ts';

/** COCO's validation captions are 32 MB, its training captions 66 MB. */
const largestFile = 2 ** 28;

const cocoSchema = z.looseObject({
  annotations: z.array(z.looseObject({ image_id: z.union([z.int(), z.string()]), caption: z.string() })),
});

/** At least one prompt, none empty. Throws UserError('data') that names the file. */
export async function readCaptions(path: string): Promise<string[]> {
  const text = await readText(path);
  const prompts = text.trimStart().startsWith('{') ? cocoCaptions(text, path) : text.split(/\r?\n/);
  const kept = prompts.map((prompt) => prompt.trim()).filter((prompt) => prompt !== '');
  if (kept.length > 0) return kept;
  throw new UserError('data', `${path} holds no prompts`, 'Write one prompt per line.');
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > largestFile) {
      throw new UserError(
        'data',
        `${path} has ${size} bytes, too much for prompts`,
        'Give a text file or COCO captions.',
      );
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
    if (!text.includes('\0')) return text;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (!(error instanceof TypeError)) {
      const message = `cannot read ${path}: ${(error as Error).message}`;
      throw new UserError('data', message, 'Check the path.', { cause: error });
    }
  }
  throw new UserError(
    'data',
    `${path} is not a text file`,
    'Give UTF-8 text with a prompt per line, or COCO captions.',
  );
}

function cocoCaptions(text: string, path: string): string[] {
  const hint = "Give COCO's captions_val2014.json, or a text file with a prompt per line.";
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw new UserError('data', `${path} starts like JSON but is none: ${(cause as Error).message}`, hint, { cause });
  }
  const parsed = cocoSchema.safeParse(raw);
  if (!parsed.success) {
    const [{ path: key, message }] = parsed.error.issues;
    throw new UserError('data', `${path}: ${key.join('.') || 'the file'}: ${message}`, hint);
  }
  const first = new Map<number | string, string>();
  for (const { image_id: id, caption } of parsed.data.annotations) {
    // COCO has captions with line breaks in them.
    if (!first.has(id)) first.set(id, caption.replaceAll(/\s+/g, ' '));
  }
  return [...first.values()];
}
