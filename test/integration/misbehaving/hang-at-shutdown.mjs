// Neither answers the request to shut down nor heeds SIGTERM, and leaves a helper behind. Tells the helper's id.
import { spawn } from 'node:child_process';
import { never, speak } from './speak.mjs';

const helper = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], {
  stdio: 'ignore',
});
process.on('SIGTERM', () => process.stderr.write('SIGTERM? no\n'));
speak({ shutdown: () => never, helper: () => ({ pid: helper.pid }) });
