/** What the tests need of the host's side of the safetensors page, bundled so that both see the same stand-in for vscode. */
export * as vscode from 'vscode';
export { UserError } from '../../../backend/protocol/errors.ts';
export { openSafetensors } from '../../../extension/panels/safetensors/panel.ts';
