/** The report as one HTML file that needs nothing else: no scripts, no other files, in light and dark. */
import { chart } from './chart.ts';
import type { Curve, GpuRecord, StepRecord, StepStatus, Table } from './record.ts';

const style = `
:root { color-scheme: light dark; --text: #1c1e21; --back: #fff; --soft: #f2f3f5; --line: #d5d8dc; --good: #1a7f37; --bad: #c62828; --dim: #6a7078;
  --device: #d9480f; --cpu: #1f6feb; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e6e6; --back: #17191c; --soft: #22262b; --line: #3a4048; --good: #4cc36b; --bad: #ff7b72;
  --dim: #9aa3ad; --device: #ff9b57; --cpu: #6cb0ff; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 1100px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid var(--line); } h3 { font-size: 1em; margin: 1.5em 0 .3em; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9em; }
th, td { text-align: left; padding: .25em .7em; border-bottom: 1px solid var(--line); vertical-align: top; } th { background: var(--soft); }
.passed { color: var(--good); } .failed, .slow { color: var(--bad); } .absent, .interrupted, .left { color: var(--dim); }
.notes { color: var(--dim); margin: .4em 0; padding-left: 1.2em; } .failures { color: var(--bad); padding-left: 1.2em; }
.charts { display: flex; flex-wrap: wrap; gap: 1em; } figure { margin: 0; width: 320px; } figcaption { font-size: .85em; }
svg { width: 100%; height: auto; background: var(--soft); } svg text { font-size: 10px; fill: var(--dim); }
polyline { fill: none; stroke-width: 1.2; } .cpu { stroke: var(--cpu); stroke-width: 5; opacity: .4; } .device { stroke: var(--device); }
.axis { fill: none; stroke: var(--line); } b.cpu { color: var(--cpu); opacity: 1; } b.device { color: var(--device); }`;

export function page(record: GpuRecord): string {
  const groups = [...new Set(record.steps.map(({ device }) => device))];
  const verdict = `<p class="${record.ok ? 'passed' : 'failed'}"><b>${escaped(record.verdict)}</b></p>`;
  const body = [
    '<h1>DMD Workbench on this graphics card</h1>',
    verdict,
    list([`began ${record.began}`, ...record.on], 'notes'),
    overview(record.steps),
    ...groups.map((device) => {
      const steps = record.steps.filter((step) => step.device === device);
      return `<h2>${device === '' ? 'The machine' : escaped(device)}</h2>${steps.map(section).join('')}`;
    }),
  ];
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>DMD Workbench: npm run gpu</title><style>${style}</style></head>`,
    `<body>${body.join('\n')}</body></html>\n`,
  ].join('\n');
}

function overview(steps: readonly StepRecord[]): string {
  const rows = steps.map(({ device, title, status, seconds, why }) => {
    const cells = [device, title].map((text) => `<td>${escaped(text)}</td>`);
    return `<tr>${cells.join('')}<td class="${classOf(status)}">${status}</td><td>${seconds.toFixed(1)} s</td><td>${escaped(why)}</td></tr>`;
  });
  const head = ['device', 'step', 'result', 'took', 'why'].map((text) => `<th>${text}</th>`);
  return `<div class="scroll"><table><tr>${head.join('')}</tr>${rows.join('')}</table></div>`;
}

function section({ title, status, why, findings }: StepRecord): string {
  const { table, curves = [], notes, failures } = findings;
  const told = failures.length > 0 || why === '' ? failures : [why];
  return [
    `<h3>${escaped(title)}: <span class="${classOf(status)}">${status}</span></h3>`,
    list(told, status === 'absent' ? 'notes' : 'failures'),
    table && table.rows.length > 0 ? drawn(table) : '',
    curves.length > 0 ? charts(curves) : '',
    list(notes, 'notes'),
  ].join('');
}

function drawn({ head, rows }: Table): string {
  const line = (cells: readonly string[], kind: 'th' | 'td') =>
    `<tr>${cells.map((cell) => `<${kind}>${escaped(cell)}</${kind}>`).join('')}</tr>`;
  return `<div class="scroll"><table>${line(head, 'th')}${rows.map((row) => line(row, 'td')).join('')}</table></div>`;
}

function charts(curves: readonly Curve[]): string {
  const figures = curves.map(
    (curve) => `<figure><figcaption>${escaped(curve.name)}</figcaption>${chart(curve)}</figure>`,
  );
  const key = '<p><b class="cpu">CPU</b>, <b class="device">device</b>, over iterations</p>';
  return `${key}<div class="charts">${figures.join('')}</div>`;
}

function list(lines: readonly string[], kind: string): string {
  return lines.length === 0
    ? ''
    : `<ul class="${kind}">${lines.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`;
}

const classOf = (status: StepStatus) => status.replace(' out', '');

const replaced: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (letter) => replaced[letter]!);
}
