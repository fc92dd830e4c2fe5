/** A value page in a browser, whose host asks a real program: this process, through its debugging protocol. */
import type { Browser } from 'playwright-core';
import { UserError } from '../../../backend/protocol/errors.ts';
import { type HostMessage, type PageMessage, pageMessageSchema } from '../../../backend/protocol/panels/envelope.ts';
import { readArray, readStop, type Stop, stopChanged } from '../../../backend/protocol/panels/value.ts';
import type { NotificationDefinition } from '../../../backend/protocol/rpc/define.ts';
import type { Debuggee } from '../../../extension/values/debuggee.ts';
import { readValue } from '../../../extension/values/read.ts';
import { openPanel, type PanelPage } from '../harness.ts';
import { panelHtml } from '../panel-html.ts';
import type { ThemeName } from '../themes.ts';
import { importWithVscode } from '../vscode-stub.ts';

export interface ValueOptions {
  readonly expression: string;
  readonly debuggee: Debuggee;
  readonly stop?: Stop | null;
  readonly theme?: ThemeName;
  readonly height?: number;
  readonly state?: unknown;
}

export interface OpenValue extends PanelPage {
  /** What the program was asked, in order. */
  readonly asked: { readonly expression: string; readonly seen: boolean; readonly counted: boolean }[];
  readonly titles: string[];
  stopped(stop: Stop | null): Promise<void>;
}

const somewhere: Stop = { where: 'train.py:41 (step)', session: 'Python' };

export async function openValue(browser: Browser, options: ValueOptions): Promise<OpenValue> {
  const { expression, debuggee, stop = somewhere, ...look } = options;
  const { valueTexts } = await importWithVscode<{ valueTexts(): object }>('extension/panels/value/texts.ts');
  const html = await panelHtml('value', { texts: valueTexts(), expression });
  const asked: { expression: string; seen: boolean; counted: boolean }[] = [];
  const titles: string[] = [];
  let now: Stop | null = stop;
  let page: PanelPage | undefined;
  const post = (message: HostMessage) => page?.post(message);
  const answer = async ({ method, params }: Extract<PageMessage, { type: 'request' }>): Promise<unknown> => {
    if (method === readStop.method) return now;
    if (method !== readArray.method) throw new Error(`asked for ${method}`);
    const question = readArray.params.parse(params);
    asked.push({ expression: question.expression, seen: question.cut !== null, counted: question.count });
    return readValue(now ? debuggee : undefined, question);
  };
  const listen = async (raw: unknown) => {
    const message = pageMessageSchema.parse(raw);
    if (message.type === 'notification') titles.push((message.params as { expression: string }).expression);
    if (message.type !== 'request') return;
    const { id } = message;
    try {
      await post({ type: 'result', id, result: await answer(message) });
    } catch (error) {
      const { kind, message: text, hint } = error instanceof UserError ? error : new UserError('data', String(error));
      await post({ type: 'error', id, error: { kind, message: text, hint } });
    }
  };
  const opened = await openPanel(browser, {
    ...{ html, width: 1000, ...look, onMessage: (message) => void listen(message) },
    onOpen: (one) => {
      page = one;
    },
  });
  const notify = async <P>({ method }: NotificationDefinition<P>, params: P) =>
    post({ type: 'notification', method, params });
  return {
    ...opened,
    asked,
    titles,
    async stopped(next) {
      now = next;
      await notify(stopChanged, { stop: next });
    },
  };
}
