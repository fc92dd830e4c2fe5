/** What test/unit/generate-session.test.ts bundles with the stand-in for the editor. */
import * as vscode from 'vscode';
import { generateFromPrompt } from '../../../extension/commands/generate-from-prompt.ts';
import { generateImage } from '../../../extension/commands/generate-image.ts';
import { restoreImageSettings } from '../../../extension/commands/restore-image-settings.ts';
import { GenerateSession } from '../../../extension/generate/session.ts';
import { GeneratePanel } from '../../../extension/panels/generate.ts';

export { GeneratePanel, GenerateSession, generateFromPrompt, generateImage, restoreImageSettings, vscode };
