/** Whatever a run folder holds, no request shows a file from outside of it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import { contained, containedIfThere, requireRunFolder } from '../../backend/server/contained.ts';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dmd-contained-')));
after(() => fs.rmSync(root, { recursive: true, force: true }));
const run = path.join(root, 'run');
const secret = path.join(root, 'secret.txt');
const links = { skip: process.platform === 'win32' && 'links need a privilege' };

beforeEach(() => {
  fs.rmSync(root, { recursive: true, force: true });
  for (const folder of ['run/samples', 'run/fields/probe', 'run-2', 'outside']) {
    fs.mkdirSync(path.join(root, folder), { recursive: true });
  }
  fs.writeFileSync(secret, 'secret');
  fs.writeFileSync(path.join(root, 'run-2', 'secret.txt'), 'secret');
  fs.writeFileSync(path.join(root, 'outside', 'step-00000001.png'), 'secret');
  fs.writeFileSync(path.join(run, 'run.json'), '{}');
  fs.writeFileSync(path.join(run, 'samples', 'step-00000001.png'), 'picture');
});

const refused = (error: unknown) =>
  error instanceof UserError && error.kind === 'io' && /leads out of/.test(error.message);

test('a file in the folder is found, also under a name with detours', () => {
  const picture = path.join(run, 'samples', 'step-00000001.png');
  for (const name of [
    'samples/step-00000001.png',
    'samples/../samples/step-00000001.png',
    './samples/./step-00000001.png',
  ]) {
    assert.equal(contained(run, name), picture, name);
  }
});

const climbing = [
  ...['..', '.', '', '../secret.txt', 'samples/../../secret.txt', '../run-2/secret.txt', './../run/../secret.txt'],
  ...['/etc/passwd', secret, `${run}/samples/step-00000001.png`, 'samples/step-00000001.png\0', '\0'],
];

for (const name of climbing) {
  test(`the name ${JSON.stringify(name.replace(root, '<root>'))} is refused`, () => {
    assert.throws(() => contained(run, name), refused);
  });
}

const traps: Record<string, () => string> = {
  'a link to a file outside': () => {
    fs.symlinkSync(secret, path.join(run, 'samples', 'step-00000002.png'));
    return 'samples/step-00000002.png';
  },
  'a relative link that climbs out': () => {
    fs.symlinkSync('../../secret.txt', path.join(run, 'samples', 'step-00000002.png'));
    return 'samples/step-00000002.png';
  },
  'a link to a link to a file outside': () => {
    fs.symlinkSync(secret, path.join(run, 'one'));
    fs.symlinkSync('../one', path.join(run, 'samples', 'step-00000002.png'));
    return 'samples/step-00000002.png';
  },
  'a folder that is a link': () => {
    fs.rmSync(path.join(run, 'samples'), { recursive: true });
    fs.symlinkSync(path.join(root, 'outside'), path.join(run, 'samples'));
    return 'samples/step-00000001.png';
  },
  'a link to a folder whose name only begins alike': () => {
    fs.symlinkSync(path.join(root, 'run-2'), path.join(run, 'samples', 'more'));
    return 'samples/more/secret.txt';
  },
  'a link to the folder itself': () => {
    fs.symlinkSync(run, path.join(run, 'samples', 'self'));
    return 'samples/self';
  },
};

for (const [what, set] of Object.entries(traps)) {
  test(`${what} is refused`, links, () => {
    const name = set();
    assert.throws(() => contained(run, name), refused);
    assert.throws(() => containedIfThere(run, name), refused);
  });
}

test('links that stay inside, and a run folder that is a link itself, are followed', links, () => {
  fs.symlinkSync('step-00000001.png', path.join(run, 'samples', 'step-00000002.png'));
  fs.symlinkSync(run, path.join(root, 'elsewhere'));
  const picture = path.join(run, 'samples', 'step-00000001.png');
  assert.equal(contained(path.join(root, 'elsewhere'), 'samples/step-00000002.png'), picture);
  assert.equal(requireRunFolder(path.join(root, 'elsewhere')).folder, path.join(root, 'elsewhere'));
});

test('what is not there is an error with a reason, or undefined where that is asked for', () => {
  assert.throws(() => contained(run, 'samples/none.png'), /no such file/);
  assert.equal(containedIfThere(run, 'samples/none.png'), undefined);
  assert.equal(containedIfThere(path.join(root, 'nowhere'), 'run.json'), undefined);
});

test('only an absolute path of a folder with a run.json is a run folder', () => {
  assert.equal(requireRunFolder(run).info, path.join(run, 'run.json'));
  for (const folder of ['run', './run', '', path.join(root, 'outside'), path.join(root, 'none'), `${run}\0`, secret]) {
    assert.throws(
      () => requireRunFolder(folder),
      (error) => error instanceof UserError,
      folder,
    );
  }
});

for (const part of ['run.json', 'config.dmd.json', 'samples', 'fields']) {
  test(`a run folder whose ${part} is a link to the outside is refused`, links, () => {
    fs.rmSync(path.join(run, part), { recursive: true, force: true });
    fs.symlinkSync(part.includes('.') ? secret : path.join(root, 'outside'), path.join(run, part));
    assert.throws(() => requireRunFolder(run), refused);
  });
}
