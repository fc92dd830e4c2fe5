/** Requests about configs. */
import { checkConfig, listConfig, listPresets } from '../../protocol/rpc/index.ts';
import { configFromText } from '../../runs/config-file.ts';
import { listingOf } from '../../runs/listing.ts';
import { presets, presetText } from '../../runs/presets.ts';
import type { Server } from '../handler.ts';
import { ConfigChecker, deviceFindings, launchFindings } from './check.ts';
import { FindingsThread } from './findings-thread.ts';

export function registerConfigs(server: Server): void {
  const thread = new FindingsThread();
  const checker = new ConfigChecker(async (config) =>
    (await Promise.all([thread.ask(config), deviceFindings(config), launchFindings(config)])).flat(),
  );
  server.handle(checkConfig, ({ text, file }) => checker.problems(text, file));
  server.handle(listConfig, ({ text, file }) => listingOf(configFromText(text, file)));
  server.handle(listPresets, () =>
    presets.map(({ kind, name, title, detail, teacher = null }) => {
      return { kind, name, title, detail, teacher, text: presetText(kind, name) };
    }),
  );
  server.onEnd(() => thread.end());
}
