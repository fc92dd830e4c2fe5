/**
 * How the readers of this folder say no. Deep inside a file format nobody knows the file's name, so a reader throws a
 * `Refusal`; the entry points put the file's name in front and turn it into the UserError('weights') a person reads.
 */
import { UserError } from '../protocol/errors.ts';

/** What is wrong with the content of a file, and what to do about it. Never leaves backend/weights. */
export class Refusal extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Refusal';
    this.hint = hint;
  }
}

const damagedHint = 'The file is damaged or incomplete: fetch or write it again.';

/** Stops reading: the content is not what the format asks for. */
export function refuse(message: string, hint: string = damagedHint): never {
  throw new Refusal(message, hint);
}

/** Runs a reader; its refusals become UserError('weights') that start with the file's name. */
export function namingFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw named(file, error);
  }
}

/** `namingFile` for readers that wait for the disk. */
export async function namingFileAsync<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw named(file, error);
  }
}

function named(file: string, error: unknown): unknown {
  if (!(error instanceof Refusal)) return error;
  return new UserError('weights', `${file}: ${error.message}`, error.hint, { cause: error });
}

/** Zeroed memory for `bytes` bytes; a size that the machine, or an array of this Node, cannot give is a refusal, not a crash. */
export function allocate(bytes: number, what: string): ArrayBuffer {
  try {
    return new Uint8Array(bytes).buffer;
  } catch (error) {
    const message = `${what} needs ${bytes} bytes in one piece, which this machine cannot allocate`;
    const hint = 'Free memory and try again; above 4 GiB in one piece it takes Node 22 or later.';
    throw new Refusal(message, hint, { cause: error });
  }
}
