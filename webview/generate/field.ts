/** Text fields of the form, and the numbers that are typed into them. */
import { type CheckBox, checkBox, type TextBox, textField } from '../shared/toolkit.ts';

export type Field = TextBox;
export type Box = CheckBox;

export function field(id: string, label: string, changed: () => void, placeholder?: string): Field {
  const made = textField({ id, size: 12, oninput: changed, inputmode: 'numeric' }, label);
  if (placeholder !== undefined) made.setAttribute('placeholder', placeholder);
  return made;
}

export function checkbox(id: string, label: string, changed: () => void): Box {
  return checkBox({ id, onchange: changed }, label);
}

export function mark(node: Field, bad: boolean): void {
  node.classList.toggle('wrong', bad);
  node.setAttribute('aria-invalid', String(bad));
}

/** Null for what is no whole number in the range. */
export function whole(text: string, min: number, max: number): number | null {
  if (!/^\s*\d+\s*$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}

/** Null for what is no number in the range. */
export function decimal(text: string, min: number, max: number): number | null {
  if (!/^\s*\d+([.,]\d+)?\s*$/.test(text)) return null;
  const value = Number(text.replace(',', '.'));
  return value >= min && value <= max ? value : null;
}
