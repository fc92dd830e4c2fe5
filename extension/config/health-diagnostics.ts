/**
 * Marks in open configs what the health of their last run raised alarms about, each at the key that it concerns. A newer run takes
 * its place with its first recorded number, so that the marks go when that run is well.
 */
import * as vscode from 'vscode';
import type { RunRecord, RunVerdict } from '../../backend/protocol/rpc/index.ts';
import { sentence } from '../error-text.ts';
import type { Services } from '../services.ts';
import { isActive } from '../views/run-text.ts';
import { isConfig, nameFromFile } from './config-files.ts';
import type { LastRuns } from './last-runs.ts';
import { LatestCheck } from './latest-check.ts';

const delayMilliseconds = 500;
/** What a run that goes on recorded anew is looked at so often; its health is asked for at most twice as often, as one types. */
const repeatMilliseconds = 10_000;

interface Judged {
  /** Another one when the run began, ended or went on. */
  readonly stage: string;
  readonly at: number;
  readonly step: number;
  readonly alarms: readonly RunVerdict[];
}

export class HealthDiagnostics {
  readonly #services: Services;
  readonly #collection = vscode.languages.createDiagnosticCollection('dmd-health');
  readonly #checks: LatestCheck<vscode.Diagnostic[]>;
  readonly #judged = new Map<string, Judged>();
  /** By run folder: what was last heard of it that counted. */
  readonly #heard = new Map<string, { readonly stage: string; readonly at: number }>();
  #lastRuns: LastRuns | undefined;

  constructor(context: vscode.ExtensionContext, services: Services) {
    this.#services = services;
    this.#checks = new LatestCheck({
      check: (key) => this.#check(key),
      show: (key, marks) => this.#collection.set(vscode.Uri.parse(key), marks),
      failed: (error) => services.errors.log(error, "Could not read the health of a config's last run"),
      delayMilliseconds,
    });
    const changed = ({ uri }: vscode.TextDocument) => {
      if (isConfig(uri) && vscode.workspace.isTrusted) this.#checks.changed(uri.toString());
    };
    const all = () => vscode.workspace.textDocuments.forEach(changed);
    context.subscriptions.push(
      this.#collection,
      this.#checks,
      vscode.workspace.onDidOpenTextDocument(changed),
      vscode.workspace.onDidChangeTextDocument(({ document }) => changed(document)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        this.#checks.closed(uri.toString());
        this.#collection.delete(uri);
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(all),
      services.runs.onDidChange((run) => {
        if (!run || this.#isNews(run)) all();
      }),
    );
    all();
  }

  /** Not every step: a check that is put off by each would never come. */
  #isNews(run: RunRecord): boolean {
    const before = this.#heard.get(run.folder);
    const now = { stage: stageOf(run), at: Date.now() };
    if (before?.stage === now.stage && now.at - before.at < repeatMilliseconds) return false;
    this.#heard.set(run.folder, now);
    return true;
  }

  async #check(key: string): Promise<vscode.Diagnostic[]> {
    const document = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === key);
    if (!document) return [];
    const { identityOf, placeOf } = await import('./health-place.ts');
    const text = document.getText();
    const { name, kind } = identityOf(text);
    const last = await this.#lastJudged(name ?? nameFromFile(document.uri.fsPath), kind);
    return (last?.alarms ?? []).map((alarm) => {
      const { offset, length } = placeOf(text, alarm.rule);
      const range = new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
      return mark(range, last!.run, alarm);
    });
  }

  /** The newest run that has recorded anything. */
  async #lastJudged(name: string, kind: string | null) {
    if (!this.#lastRuns) this.#lastRuns = new (await import('./last-runs.ts')).LastRuns();
    for await (const run of this.#lastRuns.of(name, kind, await this.#services.runs.watch())) {
      const { step, alarms } = await this.#judge(run);
      if (step > 0) return { run, alarms };
    }
    return undefined;
  }

  async #judge(run: RunRecord): Promise<Judged> {
    const { folder } = run;
    const stage = stageOf(run);
    const before = this.#judged.get(folder);
    const isFresh = !isActive(run) || (before && Date.now() - before.at < repeatMilliseconds / 2);
    if (before?.stage === stage && isFresh) return before;
    const { readHealth } = await import('../../backend/protocol/rpc/index.ts');
    const { step, verdicts } = await this.#services.backend.request(readHealth, { folder });
    const alarms = verdicts.filter(({ severity }) => severity === 'alarm');
    const judged = { stage, at: Date.now(), step, alarms };
    this.#judged.set(folder, judged);
    return judged;
  }
}

const stageOf = ({ state, endedAt }: RunRecord) => `${state} ${endedAt}`;

function mark(range: vscode.Range, { name }: RunRecord, { rule, title, step, statement, advice }: RunVerdict) {
  const said = [statement, advice].map(sentence).join(' ');
  const message = vscode.l10n.t('The last run, "{0}", in step {1}: {2}. {3}', name, step, title, said);
  const diagnostic = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Warning);
  diagnostic.source = 'DMD health';
  diagnostic.code = rule;
  return diagnostic;
}
