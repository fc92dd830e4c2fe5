/** Two curves over iterations as an inline SVG: the device's over the CPU's. Colours come from the page's style. */
import type { Curve } from './record.ts';

const [width, height] = [320, 150];
const edge = { left: 44, right: 8, top: 8, bottom: 20 };

export function chart({ name, device, cpu }: Curve): string {
  const finite = [...device, ...cpu].filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const span = high > low ? high - low : 1;
  const x = (i: number) => edge.left + ((width - edge.left - edge.right) * i) / Math.max(1, cpu.length - 1);
  const y = (value: number) => edge.top + (height - edge.top - edge.bottom) * (1 - (value - low) / span);
  const line = (values: readonly number[], kind: string) => {
    const points = values.flatMap((value, i) =>
      Number.isFinite(value) ? [`${x(i).toFixed(1)},${y(value).toFixed(1)}`] : [],
    );
    return `<polyline class="${kind}" points="${points.join(' ')}"/>`;
  };
  const mark = (value: number) =>
    `<text x="${edge.left - 4}" y="${y(value) + 4}" text-anchor="end">${value.toPrecision(3)}</text>`;
  const axis = `<path class="axis" d="M${edge.left} ${edge.top}V${height - edge.bottom}H${width - edge.right}"/>`;
  const ends = [
    `<text x="${edge.left}" y="${height - 5}">1</text>`,
    `<text x="${width - edge.right}" y="${height - 5}" text-anchor="end">${cpu.length}</text>`,
  ];
  const marks = finite.length === 0 ? [] : [mark(high), ...(high > low ? [mark(low)] : [])];
  const parts = [axis, ...marks, ...ends, line(cpu, 'cpu'), line(device, 'device')];
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${name} over iterations">${parts.join('')}</svg>`;
}
