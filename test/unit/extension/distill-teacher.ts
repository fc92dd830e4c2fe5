/** What test/unit/extension-distill-teacher.test.ts bundles with the stand-in for the editor. */
import * as vscode from 'vscode';
import { startDistillation } from '../../../extension/commands/start-distillation.ts';

export { startDistillation, vscode };
