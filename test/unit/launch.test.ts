/** Ranks that a config asks for: who starts them, with which options, and what is said where that cannot be. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../backend/protocol/errors.ts';
import { findLauncher, launcherOptions } from '../../backend/ranks/launch/launcher.ts';
import { ranksToStart } from '../../backend/ranks/launch/wanted.ts';
import { keepOwnCard } from '../../backend/ranks/own-card.ts';
import { rankArgument, rankOrder, readAnswer, writeAnswer } from '../../backend/runs/live/rank-order.ts';
import { ranksWanted } from '../../backend/runs/ranks-wanted.ts';
import { launchFindings } from '../../backend/server/configs/check.ts';
import { scratch, teachConfig } from './training/tiny.ts';

const posix = process.platform === 'win32' ? 'a shell script is a program there' : false;

/** A folder for the PATH with a program in it that says what a launcher says. */
function saying(name: string, words: string): { PATH: string } {
  const folder = scratch();
  fs.writeFileSync(path.join(folder, name), `#!/bin/sh\necho '${words}'\n`, { mode: 0o755 });
  return { PATH: folder };
}

/** Of launchers in use. */
const launchers = [
  ['mpirun', 'mpirun (Open MPI) 4.1.4\n\nReport bugs to ...', 'Open MPI', '4.1.4'],
  [
    'mpiexec',
    'HYDRA build details:\n    Version:                                 4.0.2\n    CC: gcc',
    'MPICH',
    '4.0.2',
  ],
  [
    'mpirun',
    'Intel(R) MPI Library for Linux* OS, Version 2021.8 Build 20221129 (id: 339ec755a1)',
    'Intel MPI',
    '2021.8 Build 20221129 (id: 339ec755a1)',
  ],
] as const;

for (const [name, words, kind, version] of launchers) {
  test(`${kind} is told by what it says`, { skip: posix }, async () => {
    const env = saying(name, words);
    assert.deepEqual(await findLauncher({ PATH: env.PATH, HOME: '/' }).then(fixed), { name, kind, version });
  });
}
const fixed = ({ program, ...rest }: { program: string; kind: string; version: string }) => ({
  name: path.basename(program),
  ...rest,
});

test('no launcher, a folder that is not whole, an unknown one: said in words', { skip: posix }, async () => {
  const missing = { kind: 'device', message: /neither it nor mpiexec is on the PATH/ };
  await assert.rejects(findLauncher({ PATH: scratch() }), missing);
  const { PATH } = saying('mpirun', 'mpirun (Open MPI) 4.1.4');
  await assert.rejects(findLauncher({ PATH: path.relative(process.cwd(), PATH) }), missing);
  await assert.rejects(findLauncher({ PATH: saying('mpirun', 'something else').PATH, HOME: '/' }), {
    kind: 'device',
    message: /of no MPI that is known here: it says "something else"/,
  });
});

test('options of each launcher; a list of machines that names nobody is refused', () => {
  const hostfile = path.join(scratch(), 'hosts');
  fs.writeFileSync(hostfile, '# nobody yet\n\n');
  const open = { program: '/bin/mpirun', kind: 'Open MPI', version: '4' } as const;
  const mpich = { ...open, kind: 'MPICH' } as const;
  for (const launcher of [open, mpich]) {
    assert.throws(() => launcherOptions(launcher, { ranks: 2, hostfile }, []), /hosts names no machine/);
  }
  assert.throws(() => launcherOptions(open, { ranks: 2, hostfile: `${hostfile}-none` }, []), UserError);
  fs.appendFileSync(hostfile, 'node1 slots=2\n');
  const options = launcherOptions(open, { ranks: 2, hostfile }, ['WORD']).join(' ');
  assert.match(options, /^--hostfile \S+hosts .*oob_tcp_keepalive_time 1 .*-x WORD -np 2$/);
  assert.match(launcherOptions(open, { ranks: 3 }, []).join(' '), /^--oversubscribe .*-np 3$/);
  assert.deepEqual(launcherOptions(mpich, { ranks: 2, hostfile }, ['WORD']), ['-f', hostfile, '-np', '2']);
});

test('a config starts ranks once: not from one of them, and not from another number of them', () => {
  const config = { launch: { mpi: { ranks: 2 } } };
  const started = (size: string) => ({ OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: size });
  assert.deepEqual(ranksToStart(config, {}), { ranks: 2 });
  assert.equal(ranksToStart({ launch: { mpi: { ranks: 1 } } }, {}), null);
  assert.equal(ranksToStart({ launch: { mpi: { ranks: 1 } } }, started('4')), null);
  assert.equal(ranksToStart(config, started('2')), null);
  assert.throws(() => ranksToStart(config, started('1')), /mpirun started 1 .* inside an MPI/);
  assert.throws(() => ranksToStart(config, started('3')), { kind: 'config', hint: /launch\.mpi\.ranks=3/ });
});

test('a change counts as the config does, its hostfile from where it was given', () => {
  const start = { config: teachConfig(), root: 'runs' };
  const set = ['launch.mpi.ranks=3', 'launch.mpi.hostfile=hosts'];
  const cwd = path.resolve('/a');
  assert.deepEqual(ranksWanted({ start, set }, cwd, {}), { ranks: 3, hostfile: path.join(cwd, 'hosts') });
});

test('the editor says beside the config what would keep its ranks from being started', () => {
  const before = process.env.PATH;
  process.env.PATH = scratch();
  try {
    const config = teachConfig({ launch: { mpi: { ranks: 2, hostfile: '/no/hosts' } } });
    assert.deepEqual(
      launchFindings(config).map(({ key }) => key),
      ['launch.mpi', 'launch.mpi.hostfile'],
    );
    assert.deepEqual(launchFindings(teachConfig()), []);
  } finally {
    process.env.PATH = before;
  }
});

test('an order finds its way through arguments, and the first answer through a file', () => {
  const order = { request: { start: { folder: '/runs/a b' }, set: ['x="é"'], half: false }, log: null };
  const file = path.join(scratch(), 'answer.json');
  const argument = rankArgument(order, 'here', file);
  assert.match(argument, /^[\w-]+$/);
  const found = rankOrder(['node', 'main', argument])!;
  assert.deepEqual(found, { order, host: 'here', answer: file });
  assert.equal(rankOrder(['node', 'main']), null);
  assert.equal(readAnswer(file), undefined);
  writeAnswer(found, { type: 'opened', folder: '/runs/a', contact: '' });
  assert.deepEqual(readAnswer(file), { type: 'opened', folder: '/runs/a', contact: '' });
});

test('each rank of a machine keeps one card: of those it was given, or of all', () => {
  const kept = (rank: number, given: string | undefined, cards: number) => {
    const env: Record<string, string | undefined> = given === undefined ? {} : { CUDA_VISIBLE_DEVICES: given };
    keepOwnCard({ local: { rank, size: 4 } }, env, cards);
    return env.CUDA_VISIBLE_DEVICES;
  };
  assert.deepEqual(
    [0, 1, 2, 3].map((rank) => kept(rank, undefined, 4)),
    ['0', '1', '2', '3'],
  );
  assert.deepEqual(
    [0, 1, 2].map((rank) => kept(rank, '5,GPU-7', 8)),
    ['5', 'GPU-7', '5'],
  );
  assert.equal(kept(3, '2', 8), '2', 'the launcher has chosen');
  assert.equal(kept(1, undefined, 1), undefined);
  assert.equal(kept(1, '', 4), '', 'none at all');
});
