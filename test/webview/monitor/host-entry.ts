/** What the tests need of the host's side of the monitor, bundled together so that both see the same stand-in for vscode. */
export * as vscode from 'vscode';
export { UserError } from '../../../backend/protocol/errors.ts';
export { MonitorPanels } from '../../../extension/panels/monitor/panels.ts';
export { monitorTexts } from '../../../extension/panels/monitor/texts.ts';
