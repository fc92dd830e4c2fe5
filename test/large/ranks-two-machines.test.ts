/**
 * Two network namespaces, each with an address and a host name of its own, stand in for two machines: Open MPI starts a rank in each
 * over TCP, through a hostfile that the config names. Needs root and iproute2, and leaves nothing behind; runs only when it is named:
 * `npm test -- test/large/ranks-two`.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readRun } from '../../backend/runs/folder/run-folder.ts';
import { alone, noMpi } from '../integration/ranks/mpirun.ts';
import { scratch, stateBytes, teachConfig } from '../unit/training/tiny.ts';

const dmd = fileURLToPath(new URL('../../dist/dmd.js', import.meta.url));
const id = process.pid % 10_000;
const machines = [
  { space: `dmd-a-${id}`, link: `va${id}`, address: '10.77.0.1' },
  { space: `dmd-b-${id}`, link: `vb${id}`, address: '10.77.0.2' },
] as const;
const [here, there] = machines;
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

function noSpaces(): string | false {
  if (noMpi) return noMpi;
  try {
    for (const { space } of machines) ip('netns', 'add', space);
    return false;
  } catch (error) {
    return `no network namespaces here: ${(error as Error).message.split('\n')[0]}`;
  }
}
const skip = noSpaces();
after(() => {
  for (const { space } of machines) spawnSync('ip', ['netns', 'del', space]);
});

test('a rank on each of two machines: the bits of one process, and the gradients went over the network', {
  skip,
}, async () => {
  ip('link', 'add', here.link, 'type', 'veth', 'peer', 'name', there.link);
  for (const { space, link, address } of machines) {
    ip('link', 'set', link, 'netns', space);
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', link);
    for (const name of ['lo', link]) ip('-n', space, 'link', 'set', name, 'up');
  }
  const folder = scratch();
  const file = (name: string, text: string, mode = 0o644) => {
    fs.writeFileSync(path.join(folder, name), text, { mode });
    return path.join(folder, name);
  };
  const ranks = { mpi: { ranks: 2, hostfile: 'hosts' } };
  const config = file('tiny.dmd.json', JSON.stringify(teachConfig({ iterations: 3, launch: ranks })));
  file('hosts', machines.map(({ address }) => `${address} slots=1\n`).join(''));
  // In place of ssh: the first word is the machine.
  const shell = `#!/bin/sh\nshift\nexec ip netns exec ${there.space} unshare --uts sh -c "hostname machine-b; $*"\n`;
  const [network, agent] = ['10.77.0.0/24', file('agent.sh', shell, 0o755)];
  const env = {
    ...{ ...process.env, OMPI_MCA_plm_rsh_agent: agent, OMPI_MCA_btl: 'tcp,self' },
    ...{ OMPI_MCA_btl_tcp_if_include: network, OMPI_MCA_oob_tcp_if_include: network },
  };
  const words = ['netns', 'exec', here.space, 'unshare', '--uts', 'sh', '-c', 'hostname machine-a; exec "$@"', 'sh'];
  const command = [process.execPath, dmd, 'teach', config, '--out', 'two'];
  const two = spawnSync('ip', [...words, ...command], { cwd: folder, env, encoding: 'utf8', timeout: 300_000 });
  assert.equal(two.status, 0, two.stdout + two.stderr);
  const one = alone(folder, [
    'teach',
    config,
    '--set',
    'launch.mpi.ranks=1',
    '--set',
    'accumulation=2',
    '--out',
    'one',
  ]);
  assert.equal(await one.ended, 0, one.output());
  const runs = ['two', 'one'].map((root) => path.join(folder, root, fs.readdirSync(path.join(folder, root))[0]!));
  assert.deepEqual(stateBytes(runs[0]!, 3), stateBytes(runs[1]!, 3));
  assert.equal(readRun(runs[0]!).info?.ranks, 2);
  const received = ip('netns', 'exec', there.space, 'cat', `/sys/class/net/${there.link}/statistics/rx_bytes`);
  const weights = fs.readdirSync(runs[0]!).find((name) => name.endsWith('.safetensors'));
  const { size } = fs.statSync(path.join(runs[0]!, weights!));
  assert.ok(Number(received) > 2 * size, `${received} bytes of a model of ${size}`);
});
