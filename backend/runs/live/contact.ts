/**
 * Where runs listen: a Unix socket in a folder that only the user can enter, or, on Windows, a named pipe whose name
 * nobody can guess. Never a network port.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errorCode } from '../../files/disk.ts';
import { UserError } from '../../protocol/errors.ts';

/** The kernel's limits on a socket's path, in bytes. */
const longestPath = process.platform === 'linux' ? 107 : 103;
const folderName = 'dmd-workbench';
const pipePattern = /^\\\\\.\\pipe\\dmd-workbench-[0-9a-f]{32}$/;
const socketPattern = /^run-\d+-[0-9a-f]{16}\.sock$/;

/** A new contact for this process. Throws an Error that says why there is none. */
export function newContact(): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\${folderName}-${randomBytes(16).toString('hex')}`;
  const name = `run-${process.pid}-${randomBytes(8).toString('hex')}.sock`;
  const problems: string[] = [];
  for (const folder of candidates()) {
    const contact = path.join(folder, name);
    const problem = Buffer.byteLength(contact) > longestPath ? `${contact} is too long` : makePrivate(folder);
    if (!problem) return contact;
    problems.push(problem);
  }
  throw new Error(problems.join('; '));
}

/** The contacts in the folder of this one, of living processes and dead. */
export function contactsBeside(contact: string): string[] {
  if (process.platform === 'win32') return [];
  const folder = path.dirname(contact);
  return fs
    .readdirSync(folder)
    .filter((name) => socketPattern.test(name))
    .map((name) => path.join(folder, name));
}

/** Throws UserError('io') unless this is a contact as `newContact` makes them, and nobody else can have put it there. */
export function checkContact(contact: string): void {
  const problem = process.platform === 'win32' ? pipeProblem(contact) : socketProblem(contact);
  if (problem) throw new UserError('io', `the run cannot be reached at ${contact}: ${problem}`, 'See its run.log.');
}

function candidates(): string[] {
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  const own = runtime && path.isAbsolute(runtime) ? [path.join(runtime, folderName)] : [];
  return [...own, path.join(os.tmpdir(), `${folderName}-${process.getuid!()}`)];
}

/** '' or what keeps the folder from being made, or from being private. */
function makePrivate(folder: string): string {
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') return `${folder} cannot be made (${errorCode(error)})`;
  }
  return folderProblem(folder);
}

/** A link is refused, because where it leads can be changed later; so is what others own or can enter. */
function folderProblem(folder: string): string {
  try {
    const status = fs.lstatSync(folder);
    if (!status.isDirectory()) return `${folder} is not a folder`;
    if (status.uid !== process.getuid!()) return `${folder} belongs to another user`;
    if ((status.mode & 0o077) !== 0) return `${folder} is open to other users`;
    return '';
  } catch (error) {
    return `${folder} cannot be read (${errorCode(error)})`;
  }
}

function socketProblem(contact: string): string {
  const { dir, base } = path.parse(contact);
  const ours = path.isAbsolute(contact) && new RegExp(`^${folderName}(-\\d+)?$`).test(path.basename(dir));
  if (!ours || path.normalize(contact) !== contact || !socketPattern.test(base)) return 'it is not a socket of a run';
  const problem = folderProblem(dir);
  if (problem) return problem;
  try {
    const status = fs.lstatSync(contact);
    return status.isSocket() && status.uid === process.getuid!() ? '' : 'it is not a socket of yours';
  } catch {
    return 'nobody listens there any more';
  }
}

function pipeProblem(contact: string): string {
  return pipePattern.test(contact) ? '' : 'it is not the pipe of a run';
}
