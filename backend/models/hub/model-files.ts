/** Which files of a revision make up its text-to-image model; only the index, a few hundred bytes, is fetched for that. */
import { UserError } from '../../protocol/errors.ts';
import {
  indexFile,
  type JsonObject,
  openDiffusersFolder,
  readJsonObject,
  refuseOtherPipelines,
} from '../../weights/diffusers/index.ts';
import type { HubFile } from './client.ts';
import type { Revision } from './revision.ts';

/**
 * What model_index.json says.
 * @throws UserError: 'io' for a repository without one, 'weights' for a kind of model that is not supported
 */
export async function modelIndex(revision: Revision): Promise<JsonObject> {
  const { repository, files, snapshot } = revision;
  const index = files.find((file) => file.path === indexFile);
  if (!index) {
    const message = `${repository} is not a text-to-image model: it has no ${indexFile}`;
    throw new UserError('io', message, `It has ${listed(files)}; dmd download --file fetches one of them.`);
  }
  const file = await revision.get(index);
  refuseOtherPipelines({ ...openDiffusersFolder(snapshot), path: repository });
  return readJsonObject(file);
}

/** The first few, for a person who looks for another one. */
export function listed(files: readonly HubFile[]): string {
  const shown = files.slice(0, 5).map((file) => file.path);
  return `${shown.join(', ')}${files.length > shown.length ? `, and ${files.length - shown.length} more files` : ''}`;
}
