/** The page's texts as the host gives them. */
import { importWithVscode } from '../vscode-stub.ts';

export async function generateTexts(): Promise<Record<string, string>> {
  const module = await importWithVscode<{ generateTexts(): Record<string, string> }>(
    'extension/panels/generate-texts.ts',
  );
  return module.generateTexts();
}
