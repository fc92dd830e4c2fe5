/** Requests about the backend itself. */

import { packageVersion } from '../files/package.ts';
import { UserError } from '../protocol/errors.ts';
import { initialize, listDevices, ping, protocolVersion, shutdown } from '../protocol/rpc/index.ts';
import type { Server } from './handler.ts';

/** @param end ends the process; called once `shutdown` is answered */
export function registerService(server: Server, end: () => void): void {
  server.handle(initialize, ({ protocolVersion: asked }) => {
    if (asked !== protocolVersion) {
      const message = `the editor speaks version ${asked} of the backend's protocol, the backend version ${protocolVersion}`;
      throw new UserError('usage', message, 'Reload the window, or install the extension again.');
    }
    return { protocolVersion, version: packageVersion(), node: process.version, pid: process.pid };
  });
  server.handle(ping, () => null);
  server.handle(shutdown, () => {
    setImmediate(end);
    return null;
  });
  server.handle(listDevices, async () => {
    const devices = await import('../engine/devices.ts');
    const found = await devices.listDevices();
    return found
      .sort((a, b) => b.gigaflops - a.gigaflops)
      .map((status) => ({
        name: status.device,
        available: status.available,
        detail: status.available ? devices.workingInWords(status) : status.reason,
      }));
  });
}
