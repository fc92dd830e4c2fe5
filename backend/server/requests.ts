/** Every request of the protocol finds its handler here. */
import { registerConfigs } from './configs/index.ts';
import type { Server } from './handler.ts';
import { registerImages } from './images/index.ts';
import { registerInspect } from './inspect/index.ts';
import { registerModels } from './models/index.ts';
import { registerRuns } from './runs/index.ts';
import { registerService } from './service.ts';
import { registerWeights } from './weights/index.ts';

/** @param end ends the process; called once `shutdown` is answered */
export function registerRequests(server: Server, end: () => void): void {
  registerService(server, end);
  registerConfigs(server);
  const links = registerRuns(server);
  registerModels(server);
  registerImages(server);
  registerInspect(server, links);
  registerWeights(server);
}
