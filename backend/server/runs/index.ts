/** Requests about runs: the list, starting and commanding, one run's history, and what happens in it right now. */
import path from 'node:path';
import { packageRoot } from '../../files/package.ts';
import { UserError } from '../../protocol/errors.ts';
import * as rpc from '../../protocol/rpc/index.ts';
import { runCommands, runRequests } from '../../protocol/run-requests.ts';
import { writeAnnotations } from '../../runs/folder/annotations.ts';
import { isEventFolder } from '../../runs/folder/event-folder.ts';
import { readConfig } from '../../runs/folder/run-folder.ts';
import { requireRunFolder } from '../contained.ts';
import type { Server } from '../handler.ts';
import { commandOf } from './command-line.ts';
import { comparable, differences } from './compare.ts';
import { resumeRunIn, startNewRun } from './control.ts';
import { csvOf } from './csv.ts';
import { registerDebugging } from './debugging.ts';
import { drawnCurves } from './drawn-curves.ts';
import { FieldRangesCache } from './field-ranges.ts';
import { registerFollowing } from './following.ts';
import { healthOf } from './health.ts';
import { HistoryCache } from './history-cache.ts';
import { LiveLinks } from './live-links.ts';
import { configTextOf, overviewOf, readFieldsAt, readSamplesAt } from './reading.ts';
import { clockOf } from './run-clock.ts';
import { RunList } from './run-list.ts';

/** @returns its links to the runs that work */
export function registerRuns(server: Server): LiveLinks {
  const links = new LiveLinks();
  const histories = new HistoryCache();
  const list = new RunList(links, {
    onChanged: (record) => void server.notify(rpc.runChanged, record),
    onRemoved: (folder) => {
      histories.forget(folder);
      void server.notify(rpc.runRemoved, { folder });
    },
    onWarning: (text) => server.log('warning', text),
  });
  server.onEnd(() => {
    list.dispose();
    links.close();
  });
  registerControl(server, list, links);
  registerReading(server, list, histories);
  registerFollowing(server, links, histories, list);
  registerDebugging(server);
  return links;
}

function registerControl(server: Server, list: RunList, links: LiveLinks): void {
  server.handle(rpc.watchRuns, ({ roots }) => {
    const relative = roots.find((root) => !path.isAbsolute(root) || root.includes('\0'));
    if (relative === undefined) return list.setRoots(roots);
    throw new UserError('usage', `${JSON.stringify(relative)} is not an absolute path`, 'Give whole paths.');
  });
  server.handle(rpc.startRun, async (params, { signal }) => {
    const folder = await startNewRun(params, signal);
    list.refresh(folder);
    return { folder };
  });
  server.handle(rpc.resumeRun, async ({ folder, ...how }, { signal }) => {
    await resumeRunIn(requireRunFolder(folder).folder, how, signal);
    list.refresh(folder);
    return null;
  });
  server.handle(rpc.commandRun, async ({ folder, command }, { signal }) => {
    const done = await links.ask(requireRunFolder(folder).folder, runCommands[command], {}, signal);
    return { path: null, ...done };
  });
  server.handle(rpc.listTensors, ({ folder, params }, { signal }) =>
    links.ask(requireRunFolder(folder).folder, runRequests['tensors/list'], params, signal),
  );
  server.handle(rpc.readTensor, ({ folder, params }, { signal }) =>
    links.ask(requireRunFolder(folder).folder, runRequests['tensors/read'], params, signal),
  );
  const forward = <P, R>(
    asked: rpc.RequestDefinition<{ folder: string; params: P }, R>,
    definition: rpc.RequestDefinition<P, R>,
  ) =>
    server.handle(asked, ({ folder, params }, { signal }) =>
      links.ask(requireRunFolder(folder).folder, definition, params, signal),
    );
  forward(rpc.paceRun, runRequests.pace);
  forward(rpc.advanceRun, runRequests.advance);
  forward(rpc.changeRun, runRequests.change);
  server.handle(rpc.annotateRun, ({ folder, ...change }) => {
    writeAnnotations(requireRunFolder(folder).folder, change);
    list.refresh(folder);
    return null;
  });
}

function registerReading(server: Server, list: RunList, histories: HistoryCache): void {
  const ranges = new FieldRangesCache();
  server.handle(rpc.openRun, async ({ folder }, { signal }) => {
    const paths = requireRunFolder(folder);
    return overviewOf(paths, await histories.current(paths.folder, signal), list.get(paths.folder));
  });
  server.handle(rpc.drawCurves, async ({ folder, tags, ...drawing }, { signal }) => {
    const history = await histories.current(requireRunFolder(folder).folder, signal);
    return drawnCurves(history, tags, drawing, signal);
  });
  server.handle(rpc.readClock, async ({ folder }, { signal }) =>
    clockOf(await histories.current(requireRunFolder(folder).folder, signal)),
  );
  server.handle(rpc.drawHistograms, async ({ folder, tag }, { signal }) => {
    const { histograms } = await histories.current(requireRunFolder(folder).folder, signal);
    return histograms.drawn(tag);
  });
  server.handle(rpc.readValues, async ({ folder, tags, step }, { signal }) => {
    const history = await histories.current(requireRunFolder(folder).folder, signal);
    return history.valuesAt(tags, step);
  });
  server.handle(rpc.readHealth, async ({ folder }, { signal }) =>
    healthOf(await histories.current(requireRunFolder(folder).folder, signal)),
  );
  server.handle(rpc.readSamples, async ({ folder, step }, { signal }) => {
    const paths = requireRunFolder(folder);
    const png = isEventFolder(folder) ? (await histories.current(paths.folder, signal)).pictures?.at(step) : undefined;
    return png ? { step, png } : readSamplesAt(paths, step);
  });
  server.handle(rpc.readFields, ({ folder, kind, step }) => readFieldsAt(requireRunFolder(folder), kind, step));
  server.handle(rpc.readFieldRanges, ({ folder, kind, from }, { signal }) =>
    ranges.read(requireRunFolder(folder), kind, from, signal),
  );
  server.handle(rpc.readCaptions, async ({ folder }) => {
    const { captionsOf } = await import('../../runs/inspect/captions.ts');
    return captionsOf(requireRunFolder(folder).folder);
  });
  server.handle(rpc.exportCsv, async ({ folder, tags }, { signal }) => {
    const history = await histories.current(requireRunFolder(folder).folder, signal);
    return csvOf(
      tags.map((tag) => history.curve(tag)),
      signal,
    );
  });
  server.handle(rpc.compareConfigs, ({ folders }) =>
    differences(folders.map((folder) => comparable(configTextOf(requireRunFolder(folder))))),
  );
  server.handle(rpc.commandLine, ({ folder }) => {
    const paths = requireRunFolder(folder);
    return commandOf({
      node: process.execPath,
      program: path.join(packageRoot(), 'dist', 'dmd.js'),
      kind: readConfig(paths).kind,
      config: paths.config,
      out: path.dirname(paths.folder),
      electron: process.versions.electron !== undefined,
    });
  });
}
