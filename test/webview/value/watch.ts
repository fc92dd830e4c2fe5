/** The score watch in a browser, whose host is the real watch on a real program: this process, by its debugging protocol. */
import type { Browser } from 'playwright-core';
import { type PageMessage, pageMessageSchema } from '../../../backend/protocol/panels/envelope.ts';
import {
  forgetStops,
  programAt,
  readScores,
  setScores,
  stopRead,
} from '../../../backend/protocol/panels/score-watch.ts';
import type { Stop } from '../../../backend/protocol/panels/value.ts';
import type { NotificationDefinition } from '../../../backend/protocol/rpc/define.ts';
import type { Debuggee } from '../../../extension/values/debuggee.ts';
import type { ScoreWatch } from '../../../extension/values/score-watch.ts';
import { openPanel, type PanelPage } from '../harness.ts';
import { panelHtml } from '../panel-html.ts';
import type { ThemeName } from '../themes.ts';
import { importWithVscode } from '../vscode-stub.ts';

export interface OpenWatch extends PanelPage {
  stopped(stop: Stop): Promise<void>;
}

export async function openWatch(
  browser: Browser,
  watch: ScoreWatch,
  debuggee: Debuggee,
  look: { readonly theme?: ThemeName; readonly height?: number; readonly state?: unknown } = {},
): Promise<OpenWatch> {
  const texts = await importWithVscode<{ scoreWatchTexts(): object }>('extension/panels/score-watch/texts.ts');
  const html = await panelHtml('score-watch', { texts: texts.scoreWatchTexts() });
  let page: PanelPage | undefined;
  let now: Stop | null = null;
  let id = watch.newStop();
  const notify = async <P>({ method }: NotificationDefinition<P>, params: P) =>
    page?.post({ type: 'notification', method, params });
  const read = async () => {
    const stop = now && (await watch.read(id, debuggee, now));
    if (stop) await notify(stopRead, { stop });
    await notify(programAt, { now, reading: false });
  };
  const answer = ({ method, params }: Extract<PageMessage, { type: 'request' }>): unknown => {
    if (method === readScores.method) return { settings: watch.settings, stops: [...watch.stops], now };
    if (method === setScores.method) {
      watch.set(setScores.params.parse(params));
      void read();
    } else if (method === forgetStops.method) watch.forget();
    else throw new Error(`asked for ${method}`);
    return null;
  };
  const opened = await openPanel(browser, {
    ...{ html, width: 1000, ...look },
    onMessage: (raw) => {
      const message = pageMessageSchema.parse(raw);
      if (message.type === 'request') void page?.post({ type: 'result', id: message.id, result: answer(message) });
    },
    onOpen: (one) => {
      page = one;
    },
  });
  return {
    ...opened,
    async stopped(stop) {
      now = stop;
      id = watch.newStop();
      await read();
    },
  };
}
