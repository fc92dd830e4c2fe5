// Makes a folder in several steps, once, whoever else tries at the same time and however often it is interrupted.
//
// It is built as NAME.building-PID and renamed when complete. While another process builds, this one waits; what a dead
// process left is taken over where it stopped, since each step that has ended is on record.
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const record = 'finished-steps.txt';
/** The builder touches the folder every so often: a process with its number alone might be another one. */
const heartbeatMs = 5_000;
const silentMs = 60_000;

/**
 * @param {string} folder made if it is not there
 * @param {(building: string) => [name: string, step: () => Promise<unknown>][]} steps what to do in the folder that is
 *   built; a step that was interrupted runs again
 * @returns whether this process finished it
 */
export async function installOnce(folder, steps) {
  const building = await claim(folder);
  if (!building) return false;
  const beat = setInterval(() => utimes(building, new Date(), new Date()).catch(() => {}), heartbeatMs);
  try {
    for (const [name, step] of steps(building)) await once(building, name, step);
    await rename(building, folder);
    return true;
  } catch (error) {
    if (!existsSync(folder)) throw error;
    await rm(building, { recursive: true, force: true }); // another process was faster
    return false;
  } finally {
    clearInterval(beat);
  }
}

/** A folder to build in that is this process's own, or undefined when `folder` is there. */
async function claim(folder) {
  const parent = dirname(folder);
  const own = `${folder}.building-${process.pid}`;
  await mkdir(parent, { recursive: true });
  for (;;) {
    if (existsSync(folder)) return undefined;
    const names = await readdir(parent);
    const begun = names.map((name) => join(parent, name)).filter((path) => path.startsWith(`${folder}.building-`));
    const left = await firstLeft(begun);
    if (left) {
      const taken = await rename(left, own).then(
        () => true,
        () => false, // another process took it
      );
      if (taken) return own;
    } else if (begun.length === 0) {
      await mkdir(own);
      return own;
    } else {
      await new Promise((resume) => setTimeout(resume, 250));
    }
  }
}

async function firstLeft(begun) {
  for (const path of begun) {
    const touched = await stat(path).catch(() => undefined);
    if (!touched) continue;
    if (!alive(Number(path.split('-').at(-1))) || Date.now() - touched.mtimeMs > silentMs) return path;
  }
}

function alive(pid) {
  if (pid === process.pid) return false; // left by an earlier process with our number
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function once(building, name, step) {
  const done = await readFile(join(building, record), 'utf8').catch(() => '');
  if (done.split('\n').includes(name)) return;
  await step();
  await appendFile(join(building, record), `${name}\n`);
}
