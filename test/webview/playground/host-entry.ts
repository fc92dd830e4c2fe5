/** What the tests need of the host's side of the playground, bundled together so that both see the same stand-in for vscode. */
export * as vscode from 'vscode';
export { UserError } from '../../../backend/protocol/errors.ts';
export { PlaygroundPanel } from '../../../extension/panels/playground/panel.ts';
