/**
 * Translation for files that know no `vscode`, so that they run outside of the editor too: English until the extension is
 * activated. Called as `l10n.t('... {0} ...', value)`, which is how `npm run generate` finds messages.
 */
type Translate = (message: string, ...values: (string | number | boolean)[]) => string;

let translate: Translate = (message, ...values) =>
  message.replace(/\{(\d+)\}/g, (whole, index) => String(values[Number(index)] ?? whole));

export const l10n: { readonly t: Translate } = { t: (message, ...values) => translate(message, ...values) };

/** @param t the editor's own, which has the table of its language */
export function translateWith(t: Translate): void {
  translate = t;
}
