/** Colours of data, the only ones that are not the theme's: told apart also by people who do not see all colours. */
import { rampColour } from './colour-ramp.ts';

/** Okabe and Ito's palette, with those that would not show on the background made lighter or darker. */
const dark = ['#56b4e9', '#e69f00', '#2bbf91', '#e488b9', '#f0e442', '#ef7b45', '#c0c0c0'];
const light = ['#0072b2', '#b85400', '#00795a', '#a8457f', '#7a6a00', '#5b4fb5', '#4d4d4d'];

/** Lines differ in their strokes too. CSS pixels: drawn, left out. */
const strokes: readonly (readonly number[])[] = [[], [7, 3], [2, 2], [9, 3, 2, 3], [4, 2], [12, 4], [1, 3]];

export function isDark(): boolean {
  const { classList } = document.body;
  return classList.contains('vscode-dark') || classList.contains('vscode-high-contrast')
    ? !classList.contains('vscode-high-contrast-light')
    : false;
}

/** Of the n-th of things without an order, such as runs. */
export function lineColour(n: number): string {
  const palette = isDark() ? dark : light;
  return palette[n % palette.length]!;
}

/** Of the n-th of `count` curves of one thing: its colour, further from the background with every one. */
export function shadedColour(place: number, n: number, count: number): string {
  const colour = lineColour(place);
  if (count < 2) return colour;
  return mixed(colour, isDark() ? 255 : 0, (strongestShade * n) / (count - 1));
}

const strongestShade = 0.62;

/** `#rrggbb` with a share of a grey. */
function mixed(colour: string, grey: number, share: number): string {
  const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return `rgb(${parts.map((part) => Math.round(part + (grey - part) * share)).join(' ')})`;
}

export function lineStroke(n: number): readonly number[] {
  return strokes[n % strokes.length]!;
}

/** A line as a background, with its gaps. */
export function strokeBackground(colour: string, [drawn = 1, gap = 0]: readonly number[]): string {
  if (gap === 0) return colour;
  return `repeating-linear-gradient(90deg, ${colour} 0 ${drawn}px, transparent ${drawn}px ${drawn + gap}px)`;
}

/** Of the n-th of `count` things in an order, such as noise levels. */
export function orderedColour(n: number, count: number): string {
  return rampColour(n, count, isDark());
}

/** What was asked of the theme; null before the first question. Asking the browser makes it bring all styles up to date. */
let known: Map<string, string> | null = null;

/** A colour of the theme as the editor gives it, e.g. `foreground`. */
export function themeColour(name: string, fallback = '#808080'): string {
  if (known === null) {
    known = new Map();
    const forget = new MutationObserver(() => known?.clear());
    forget.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
    forget.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  }
  let colour = known.get(name);
  if (colour === undefined) {
    colour = getComputedStyle(document.documentElement).getPropertyValue(`--vscode-${name}`).trim();
    known.set(name, colour);
  }
  return colour || fallback;
}

/** Calls back when the person chooses another theme. */
export function onTheme(changed: () => void): void {
  const observer = new MutationObserver(() => {
    known?.clear();
    changed();
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
}
