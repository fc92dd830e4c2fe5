// The files that are derived from the sources and kept beside them, because the editor and readers want them as files.
import { configReference } from './config-reference.mjs';
import { editorSchema } from './config-schema.mjs';
import { messageBundle } from './messages.mjs';

/** Path from the root -> what belongs in it now. */
export async function generated() {
  return {
    'media/schemas/config.schema.json': json(editorSchema()),
    'docs/configs.md': configReference(),
    'l10n/bundle.l10n.json': json(await messageBundle()),
  };
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
