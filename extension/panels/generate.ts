/**
 * The generate panel's host: one panel, which shows what the session has. Its page may be thrown away at any time; a new
 * one asks for everything again.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import * as panel from '../../backend/protocol/panels/generate.ts';
import { type Entry, mostImages } from '../../backend/protocol/panels/generate.ts';
import type { Restorable } from '../../backend/protocol/panels/generate-form.ts';
import { errorText } from '../error-text.ts';
import { isCancelled } from '../errors.ts';
import { settingsOfImage } from '../generate/form.ts';
import { insertPicture, type Shown, savePicture, savePictures } from '../generate/keep-picture.ts';
import type { LiveImage } from '../generate/live-images.ts';
import type { GenerateSession } from '../generate/session.ts';
import type { Services } from '../services.ts';
import type { PanelChannel } from './channel.ts';
import { generateTexts } from './generate-texts.ts';
import { OnePanel } from './open-panels.ts';
import { Page } from './page.ts';

export const generatePanelType = 'dmd.generate';

export class GeneratePanel {
  readonly #session: GenerateSession;
  readonly #services: Services;
  readonly #open = new OnePanel();
  /** The entry that the next page is to show. */
  #show = '';

  constructor(session: GenerateSession, services: Services) {
    this.#session = session;
    this.#services = services;
  }

  /** Opens the panel or brings it to the front. @param entry what it is to show */
  show(entry = ''): void {
    this.#show = entry;
    if (this.#open.page) {
      this.#open.page.reveal();
      return;
    }
    const title = vscode.l10n.t('Generate Images');
    const column = vscode.window.activeTextEditor ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
    this.adopt(vscode.window.createWebviewPanel(generatePanelType, title, column));
  }

  /** Takes a panel that is there, such as one that the editor brings back after a restart. */
  adopt(webviewPanel: vscode.WebviewPanel): void {
    this.#open.makeRoom();
    const page = new Page(webviewPanel, this.#services, { name: 'generate', initial: { texts: generateTexts() } });
    this.#open.set(page);
    this.#tell(page);
    this.#answer(page.channel);
    void this.#session.load();
  }

  /** News of the session; a hidden page gets none, it asks when it is back. */
  #tell(page: Page): void {
    const session = this.#session;
    const guarded = (work: () => Promise<void>) => {
      if (page.listening) void work().catch((error) => this.#services.errors.log(error));
    };
    page.keep(
      session.onDidChangeView(() => guarded(async () => page.tell(panel.viewChanged, await this.#view()))),
      session.onDidChangeJobs(() =>
        guarded(async () => page.tell(panel.jobsChanged, { jobs: (await session.view()).jobs })),
      ),
      session.onDidFinish((entry) => {
        if (page.listening) page.tell(panel.finished, { entry: entry.id, spoken: spoken(entry) });
        else this.#show = entry.id;
      }),
    );
  }

  #answer(channel: PanelChannel): void {
    const session = this.#session;
    const { history } = session;
    channel.handle(panel.readView, () => this.#view());
    channel.handle(panel.start, async ({ form, keep }) => {
      // Answered when it is in the queue: what comes of it is news.
      session.generate(form, { keepSeed: keep }).catch((error: unknown) => this.#fail(channel, error));
      return null;
    });
    channel.handle(panel.drawLive, async (form) => liveOf(await session.drawLive(form)));
    channel.handle(panel.cancelJob, ({ job }) => done(session.cancel(job)));
    channel.handle(panel.readImages, async ({ entry }) => ({ sides: await history.images(entry) }));
    channel.handle(panel.readThumbnail, async ({ entry }) => ({ png: await history.image(entry, 0, 0) }));
    channel.handle(panel.saveImage, async (ref) => savePicture(await this.#shown(ref)));
    channel.handle(panel.saveLive, async ({ live }) => savePicture(session.live.shown(live)));
    channel.handle(panel.saveAll, async ({ entry }) => {
      const { sides } = await history.entry(entry);
      const refs = sides.flatMap((side, s) => side.images.map((_, image) => ({ entry, side: s, image })));
      return savePictures(await Promise.all(refs.map((ref) => this.#shown(ref))));
    });
    channel.handle(panel.insertImage, async (ref) => insertPicture(await this.#shown(ref), session.document));
    channel.handle(panel.inspectImage, async ({ entry, side, image }) => {
      const { settings, images } = (await history.entry(entry)).sides[side]!;
      const { models } = await session.view();
      const folder = models.find(({ model }) => model === settings.model)?.run ?? null;
      const { seed, class: id } = images[image]!;
      const { prompt } = settings;
      const condition = id !== null ? { class: id } : prompt === null ? null : { prompt };
      await vscode.commands.executeCommand('dmd.inspectScores', { folder, sample: { kind: 'seed', seed }, condition });
      return null;
    });
    channel.handle(panel.restoreEntry, async ({ entry, side, image }) => {
      if (image === undefined) return { lost: await session.restoreEntry(entry) };
      const { sides } = await history.entry(entry);
      return { lost: await session.restore([settingsOfImage((sides[side] ?? sides[0]!).settings, image)]) };
    });
    channel.handle(panel.setFavourite, async ({ entry, favourite }) =>
      done(await session.setFavourite(entry, favourite)),
    );
    channel.handle(panel.restorePng, ({ png }) => this.#restorePng(png));
    channel.handle(panel.pickDecoder, () => pickDecoder());
    channel.handle(panel.deleteEntry, async ({ entry }) => done(await session.delete(entry)));
    channel.handle(panel.undoDelete, async () => done(await session.undoDelete()));
    channel.handle(panel.reloadModels, async () => done(await session.load(true)));
    channel.on(panel.formChanged, ({ form, change }) => {
      session.remember(form, change).catch((error: unknown) => this.#services.errors.log(error));
    });
  }

  async #view(): Promise<panel.View> {
    const view = { ...(await this.#session.view()), show: this.#show };
    this.#show = '';
    return view;
  }

  async #shown({ entry, side, image }: { entry: string; side: number; image: number }): Promise<Shown> {
    const png = await this.#session.history.image(entry, side, image);
    const found = (await this.#session.history.entry(entry)).sides[side];
    if (!found?.images[image]) throw new Error(`entry ${entry} has no image ${image} on side ${side}`);
    return { side: found, index: image, png };
  }

  async #restorePng(dropped: Uint8Array | null): Promise<{ lost: Restorable[] } | null> {
    const file = dropped ? null : await pickPng();
    if (!dropped && !file) return null;
    const png = dropped ?? (await vscode.workspace.fs.readFile(file!));
    const name = file ? basename(file.fsPath) : vscode.l10n.t('The picture');
    const lost = await this.#session.restorePng(png, name);
    return lost && { lost };
  }

  #fail(channel: PanelChannel, error: unknown): void {
    if (isCancelled(error)) return;
    this.#services.errors.log(error, 'Could not generate images');
    channel.notify(panel.failed, { message: errorText(error, '').message });
  }
}

/** Undefined when the person changes their mind. */
export async function pickPng(): Promise<vscode.Uri | undefined> {
  const openLabel = vscode.l10n.t('Restore Settings');
  const [file] = (await vscode.window.showOpenDialog({ filters: { PNG: ['png'] }, openLabel })) ?? [];
  return file;
}

/** The folder of an autoencoder; null when the person changes their mind. */
async function pickDecoder(): Promise<string | null> {
  const openLabel = vscode.l10n.t('Use as Decoder');
  const [folder] =
    (await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true, openLabel })) ?? [];
  return folder?.fsPath ?? null;
}

function liveOf(image: LiveImage | null): panel.Live | null {
  if (!image?.generated.images[0]) return null;
  const { live, generated } = image;
  const { images, width, height, millisecondsPerImage, notes } = generated;
  return { live, png: images[0]!.png, width, height, millisecondsPerImage, notes };
}

function done(_: unknown): null {
  return null;
}

/** What a screen reader says, e.g. "4 images ready, 12 ms each". */
function spoken({ sides, grid }: Entry): string {
  const [first, second] = sides;
  if (grid) return vscode.l10n.t('A grid of {0} images is ready', sides.length);
  const count = first!.images.length;
  const each = first!.millisecondsPerImage.toFixed(first!.millisecondsPerImage < 10 ? 1 : 0);
  const ready =
    count === 1
      ? vscode.l10n.t('1 image ready, {0} ms', each)
      : vscode.l10n.t('{0} images ready, {1} ms each', Math.min(count, mostImages), each);
  if (!second) return ready;
  return vscode.l10n.t('{0}; beside it {1}, {2} ms each', ready, second.title, second.millisecondsPerImage.toFixed(0));
}
