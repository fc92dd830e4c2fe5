/** What the tests need of the host's side of the inspector, bundled together so that both see the same stand-in for vscode. */
export * as vscode from 'vscode';
export { UserError } from '../../../backend/protocol/errors.ts';
export { InspectorPanels } from '../../../extension/panels/inspector/panels.ts';
export { pythonFor } from '../../../extension/panels/inspector/python.ts';
