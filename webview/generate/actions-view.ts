/** What can be done with the selected picture and with its whole generation, right above the pictures. */
import type { Entry } from '../../backend/protocol/panels/generate.ts';
import { element, fillWith, icon } from '../shared/dom.ts';
import { icons } from '../shared/icons.ts';
import type { Selected } from './results-view.ts';
import type { Texts } from './texts.ts';

export interface PictureActions {
  zoom(): void;
  compare(): void;
  keepToCompare(): void;
  save(): void;
  copy(): void;
  insert(): void;
  inspect(): void;
  /** Of the selected image, or of all. */
  restore(all: boolean): void;
  saveAll(): void;
  favourite(on: boolean): void;
  delete(): void;
}

export interface ActionsContext {
  readonly entry: Entry;
  readonly selected: Selected;
  /** Name of the file that a picture can be inserted into; '' for none. */
  readonly document: string;
  /** Whether scores can be inspected at this image's noise. */
  readonly inspectable: boolean;
  /** Whether there is another picture to compare with. */
  readonly comparable: boolean;
}

export class ActionsView {
  readonly element = element('div', { class: 'toolbar' });
  readonly #text: Texts;
  readonly #actions: PictureActions;

  constructor(text: Texts, actions: PictureActions) {
    this.#text = text;
    this.#actions = actions;
  }

  clear(): void {
    fillWith(this.element);
  }

  show({ entry, document, inspectable, comparable }: ActionsContext): void {
    const text = this.#text;
    const does = this.#actions;
    const count = entry.sides.reduce((sum, { images }) => sum + images.length, 0);
    const { favourite } = entry;
    const focused = this.element.contains(window.document.activeElement) ? window.document.activeElement?.id : '';
    const insert = tool('insert', document ? text('insert', document) : text('insertNowhere'), null, () =>
      does.insert(),
    );
    if (document === '') {
      insert.disabled = true;
      insert.title = text('insertNone');
    }
    const star = tool(
      'favourite',
      text(favourite ? 'unfavourite' : 'favourite'),
      favourite ? starIcon : emptyStar,
      () => does.favourite(!favourite),
    );
    star.setAttribute('aria-pressed', String(favourite));
    fillWith(
      this.element,
      group(
        text('selected'),
        tool('zoom', text('zoom'), icons.inspect, () => does.zoom()),
        comparable && tool('compare', text('compare'), compareIcon, () => does.compare()),
        tool('keep', text('compareLater'), icons.pin, () => does.keepToCompare()),
        labelled('save', text('save'), () => does.save()),
        labelled('copy', text('copy'), () => does.copy()),
        insert,
        labelled('restoreImage', text('restoreImage'), () => does.restore(false)),
        inspectable && labelled('inspect', text('inspect'), () => does.inspect()),
      ),
      group(
        count > 1 ? text('all', count) : text('generation'),
        count > 1 && labelled('saveAll', text('saveAll'), () => does.saveAll()),
        count > 1 && labelled('restore', text('restoreAll', count), () => does.restore(true)),
        star,
        tool('delete', text('delete'), trash, () => does.delete()),
      ),
    );
    if (focused) this.element.querySelector<HTMLElement>(`#${focused}`)?.focus();
  }
}

function group(name: string, ...children: (HTMLElement | false)[]): HTMLElement {
  return element(
    'div',
    { class: 'group', role: 'toolbar', 'aria-label': name },
    element('span', { class: 'muted small', 'aria-hidden': 'true' }, name),
    ...children,
  );
}

/** With an icon, or with its name where there is none. */
function tool(id: string, name: string, path: string | null, onclick: () => void): HTMLButtonElement {
  const properties = { type: 'button', class: 'plain', id, onclick };
  if (path === null) return element('button', properties, name);
  return element('button', { ...properties, 'aria-label': name, title: name }, icon(path));
}

function labelled(id: string, name: string, onclick: () => void): HTMLButtonElement {
  return tool(id, name, null, onclick);
}

const emptyStar =
  'M8 1.200l2.100 4.300 4.700.7-3.400 3.300.8 4.700L8 12l-4.200 2.200.8-4.700L1.200 6.200l4.700-.7zm0 2.700L6.800 6.500l-2.900.4 2.100 2-.5 2.900L8 10.400l2.500 1.400-.5-2.900 2.100-2-2.900-.4z';
export const starIcon =
  'M8 1.200l2.100 4.300 4.700.7-3.400 3.300.8 4.700L8 12l-4.200 2.200.8-4.700L1.200 6.200l4.700-.7z';
const trash =
  'M6 1.500h4L10.500 3H14v1.300H2V3h3.500zM3.200 5.200h9.600L12 14.500H4zM6 6.700l.3 6.300h1.100l-.2-6.300zm2.800 0L8.600 13h1.100l.3-6.300z';
const compareIcon = 'M7.300 1h1.400v14H7.300zM2 3.500h4.300v9H2zm1.300 1.300v6.400H5V4.800zM9.700 3.500H14v9H9.700z';
