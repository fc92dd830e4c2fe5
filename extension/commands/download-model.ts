/**
 * The command "DMD: Download Model from the Hugging Face Hub...": asks which, says how much that is and from where, and
 * fetches it after a yes. Nothing else in the extension uses the network.
 */
import * as vscode from 'vscode';
import { isRepositoryName } from '../../backend/protocol/repository-name.ts';
import { downloadModel, type HubOffer, hubPlace, planDownload } from '../../backend/protocol/rpc/index.ts';
import { isCancelled } from '../errors.ts';
import type { Services } from '../services.ts';
import { fileSize, line } from '../views/format.ts';
import { inProgress } from './in-progress.ts';

const { l10n } = vscode;
const example = 'stable-diffusion-v1-5/stable-diffusion-v1-5';

interface Place {
  readonly host: string;
  readonly cache: string;
  readonly free: number | null;
  readonly login: boolean;
}

export async function downloadFromHub(services: Services): Promise<void> {
  const { backend } = services;
  const place = await backend.request(hubPlace, {});
  const repository = await askRepository(place);
  if (repository === undefined) return;
  const offers = await inProgress(
    backend,
    { title: l10n.t('Asking {0} what {1} is made of', place.host, repository), message: () => '' },
    (_, token) => backend.request(planDownload, { repository }, token),
  );
  const offer = await choose(repository, offers);
  if (offer && (await confirmed(repository, offer, place))) await fetchModel(repository, offer, services);
}

async function askRepository({ host }: Place): Promise<string | undefined> {
  const typed = await vscode.window.showInputBox({
    title: l10n.t('Download Model from the Hugging Face Hub'),
    prompt: l10n.t('A text-to-image model. Enter asks {0} how large it is; nothing is fetched before you agree.', host),
    placeHolder: l10n.t('ORGANISATION/NAME, e.g. {0}', example),
    ignoreFocusOut: true,
    validateInput: (text) =>
      text.trim() === '' || isRepositoryName(repositoryIn(text))
        ? undefined
        : l10n.t('A model on the hub is called ORGANISATION/NAME, e.g. {0}', example),
  });
  const repository = repositoryIn(typed ?? '');
  return repository === '' ? undefined : repository;
}

/** What was typed, or the model whose page was pasted. */
function repositoryIn(text: string): string {
  const page = /^https?:\/\/[^/\s]+\/([^/\s?#]+\/[^/\s?#]+)/.exec(text.trim());
  return page?.[1] ?? text.trim();
}

async function choose(repository: string, offers: readonly HubOffer[]): Promise<HubOffer | undefined> {
  if (offers.length === 1) return offers[0];
  const items = offers.map((offer) => ({
    label:
      offer.variant === '' ? l10n.t('Full precision (float32)') : l10n.t('Half the size (float16, rounded weights)'),
    description: sizeOf(offer),
    offer,
  }));
  const title = l10n.t('Download {0}', repository);
  return (await vscode.window.showQuickPick(items, { title, placeHolder: l10n.t('Which weights?') }))?.offer;
}

/** "12 files · 4.3 GB · 1.1 GB of them are here already". */
function sizeOf({ files, bytes, here }: HubOffer): string {
  const size = fileSize(bytes);
  const already =
    here >= bytes ? l10n.t('all of it is here already') : l10n.t('{0} of it is here already', fileSize(here));
  return line([l10n.t('{0} files', files), size, here > 0 ? already : '']);
}

async function confirmed(repository: string, offer: HubOffer, { host, cache, free, login }: Place): Promise<boolean> {
  const isTight = free !== null && free < offer.bytes - offer.here;
  const detail = [
    sizeOf(offer),
    l10n.t(
      'The files come from {0} and the servers it refers to, and go to {1}, which other programs share.',
      host,
      cache,
    ),
    login ? l10n.t('Your login from HF_TOKEN is sent along.') : '',
    isTight ? l10n.t('Only {0} are free on that disk.', fileSize(free)) : '',
  ].filter((text) => text !== '');
  const yes = l10n.t('Download');
  const asked = l10n.t('Download {0} from {1}?', repository, host);
  const options = { modal: true, detail: detail.join('\n') };
  return (await vscode.window.showInformationMessage(asked, options, yes)) === yes;
}

async function fetchModel(repository: string, offer: HubOffer, services: Services): Promise<void> {
  const { backend, modelFiles } = services;
  try {
    const { folder, bytes } = await inProgress(
      backend,
      {
        title: l10n.t('Downloading {0}', repository),
        message: (file, done, total) => l10n.t('{0} of {1}, {2}', fileSize(done), fileSize(total), file),
      },
      (id, token) => backend.request(downloadModel, { id, repository, variant: offer.variant }, token),
    );
    await modelFiles.add(folder);
    sayDone(l10n.t('Downloaded {0} ({1}).', repository, fileSize(bytes)), folder);
    await vscode.commands.executeCommand('dmd.models.focus');
  } catch (error) {
    if (!isCancelled(error)) throw error;
    sayStopped(repository, () => fetchModel(repository, offer, services), services);
  }
}

/** Not waited for: the download is done. */
function sayDone(message: string, folder: string): void {
  const generate = l10n.t('Generate');
  vscode.window.showInformationMessage(message, generate).then((chosen) => {
    if (chosen === generate) vscode.commands.executeCommand('dmd.openGeneratePanel', folder);
  });
}

function sayStopped(repository: string, again: () => Promise<void>, { errors }: Services): void {
  const resume = l10n.t('Resume');
  const message = l10n.t('The download of {0} was stopped. It can be resumed where it was.', repository);
  vscode.window.showInformationMessage(message, resume).then((chosen) => {
    if (chosen === resume) void errors.guard(l10n.t('Could not download the model'), again);
  });
}
