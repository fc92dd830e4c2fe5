/** The backend process: answers the editor over the channel it was forked with. Loads nothing heavy before it is asked. */
import '../engine/onnxruntime/no-telemetry.ts'; // here, because a worker's environment is only a copy
import { endWithParent, startWatchdog } from './lifetime.ts';
import { registerRequests } from './requests.ts';
import { RpcServer } from './server.ts';

if (process.send) {
  const server = new RpcServer(process);
  registerRequests(server, endWithParent(server));
  server.listen();
  startWatchdog(server);
} else {
  process.stderr.write('dmd backend: the editor starts this program and talks to it; the command is dmd.\n');
  process.exitCode = 2;
}
