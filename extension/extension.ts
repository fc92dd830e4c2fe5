/**
 * The extension's entry point: makes what its parts share, and lets each part register what package.json contributes.
 *
 * It computes nothing. Everything that does runs as a process of its own, on the Node that the person chose.
 */
import * as vscode from 'vscode';
import { EditorBackend } from './backend/editor-backend.ts';
import { registerBackend } from './backend/register.ts';
import { registerModelCommands } from './commands/register-models.ts';
import { registerRunCommands } from './commands/register-runs.ts';
import { showDevices } from './commands/show-devices.ts';
import { registerConfigs } from './config/register.ts';
import { registerDebug } from './debug/register.ts';
import { Errors } from './errors.ts';
import { registerGenerate } from './generate/register.ts';
import { translateWith } from './l10n.ts';
import { ModelFiles } from './model-files.ts';
import { registerInspector } from './panels/inspector/register.ts';
import { registerMonitor } from './panels/monitor/register.ts';
import { registerPlayground } from './panels/playground/register.ts';
import { registerSafetensors } from './panels/safetensors/register.ts';
import { RunNews } from './run-news.ts';
import { registerRunNotices } from './run-notices.ts';
import { RunRoots } from './run-roots.ts';
import { Runs } from './runs.ts';
import type { Services } from './services.ts';
import { registerStatusBar } from './status-bar.ts';
import { registerTasks } from './tasks/register.ts';
import { registerValues } from './values/register.ts';
import { registerViews } from './views/register.ts';

let running: EditorBackend | undefined;

export function activate(context: vscode.ExtensionContext): void {
  translateWith(vscode.l10n.t);
  const log = vscode.window.createOutputChannel('DMD Workbench', { log: true });
  context.subscriptions.push(log);
  const errors = new Errors(log);
  const backend = new EditorBackend(context.extensionUri, log, errors);
  running = backend;
  const roots = new RunRoots(context);
  const runs = new Runs(backend, roots, errors);
  const { extensionUri } = context;
  const news = new RunNews(context.workspaceState);
  context.subscriptions.push(runs, news);
  const modelFiles = new ModelFiles(context);
  const services: Services = { extensionUri, backend, log, errors, roots, runs, news, modelFiles };

  registerBackend(context, services, backend);
  const runsView = registerViews(context, services);
  registerRunCommands(context, services, async () => (await import('./views/focused-runs.ts')).focusedRuns(runsView));
  registerModelCommands(context, services);
  registerStatusBar(context, services);
  registerRunNotices(context, services);
  registerConfigs(context, services);
  registerTasks(context, services);
  registerDebug(context, services);
  registerGenerate(context, services);
  registerMonitor(context, services);
  registerInspector(context, services);
  registerValues(context, services);
  registerPlayground(context, services);
  registerSafetensors(context, services);
  context.subscriptions.push(vscode.commands.registerCommand('dmd.showDevices', () => showDevices(context, services)));
}

/** The editor waits for the backend to end; runs go on. */
export async function deactivate(): Promise<void> {
  await running?.shutDown();
}
