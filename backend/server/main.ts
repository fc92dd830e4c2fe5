/** The backend process: answers the editor over the channel it was forked with. Loads nothing heavy before it is asked. */
import '../engine/onnxruntime/no-telemetry.ts'; // here, because a worker's environment is only a copy
import { registerConfigs } from './configs/index.ts';
import { registerImages } from './images/index.ts';
import { endWithParent, startWatchdog } from './lifetime.ts';
import { registerModels } from './models/index.ts';
import { registerRuns } from './runs/index.ts';
import { RpcServer } from './server.ts';
import { registerService } from './service.ts';

if (process.send) {
  const server = new RpcServer(process);
  const end = endWithParent(server);
  registerService(server, end);
  registerConfigs(server);
  registerRuns(server);
  registerModels(server);
  registerImages(server);
  server.listen();
  startWatchdog(server);
} else {
  process.stderr.write('dmd backend: the editor starts this program and talks to it; the command is dmd.\n');
  process.exitCode = 2;
}
