/**
 * The one place that knows the component library: its elements are made by the functions below, and nobody else says their names.
 * Moving to a successor is a change of this file.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeTextArea,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { type Child, element, type Properties } from './dom.ts';

provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeTextArea(), vsCodeTextField());

/** A line or several lines of text. */
export type TextBox = HTMLElement & { value: string };
export type CheckBox = HTMLElement & { checked: boolean };

/** @param appearance what Enter does, everything else, or a picture alone, which then needs an `aria-label` */
export function button(
  { appearance = 'primary', ...properties }: Properties & { readonly appearance?: 'primary' | 'secondary' | 'icon' },
  ...children: readonly Child[]
): HTMLElement {
  const made = element('vscode-button', { appearance, ...classed('tool-button', properties) }, ...children);
  // A picture stands before the words.
  if (children.length > 1 && children[0] instanceof SVGElement) children[0].setAttribute('slot', 'start');
  return made;
}

export function checkBox(properties: Properties, label: string): CheckBox {
  return element('vscode-checkbox', classed('tool-check', properties), label) as CheckBox;
}

export function textField(properties: Properties, label: string): TextBox {
  return element('vscode-text-field', classed('tool-field', properties), label) as TextBox;
}

export function textArea(properties: Properties, label: string): TextBox {
  return element('vscode-text-area', classed('tool-area', properties), label) as TextBox;
}

/** Space and Enter press it. */
export function isPressed(target: Element | null): boolean {
  return target?.matches('button, summary, input, vscode-button, vscode-checkbox') ?? false;
}

/** Keys are typed into it: `line`, where Enter has no meaning of its own, or `lines`. */
export function typedInto(target: Element | null): 'line' | 'lines' | null {
  if (target?.matches('textarea, vscode-text-area')) return 'lines';
  return target?.matches('input[type="text"], input[type="search"], input[type="number"], vscode-text-field')
    ? 'line'
    : null;
}

function classed(name: string, properties: Properties): Properties {
  return { ...properties, class: [name, properties.class].filter(Boolean).join(' ') };
}
