/** How charts were last looked at: the next monitor begins with it. */
import type * as vscode from 'vscode';
import { type ChartSettings, chartSettingsSchema } from '../../../backend/protocol/panels/monitor.ts';

const key = 'dmd.monitor.charts';

/** null before there is any, and for what another version kept. */
export function lastChartSettings(memory: vscode.Memento): ChartSettings | null {
  const kept = chartSettingsSchema.safeParse(memory.get(key));
  return kept.success ? kept.data : null;
}

export function keepChartSettings(memory: vscode.Memento, settings: ChartSettings): void {
  void memory.update(key, settings);
}
