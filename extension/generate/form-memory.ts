/**
 * The form as it was left: in every workspace its own. Another workspace begins with what was chosen last, but never with a
 * seed that was kept here.
 */
import type * as vscode from 'vscode';
import { type Form, formSchema } from '../../backend/protocol/panels/generate-form.ts';
import { defaultForm } from './form.ts';

const key = 'dmd.generate.form';

type Mementos = Pick<vscode.ExtensionContext, 'workspaceState' | 'globalState'>;

export class FormMemory {
  readonly #workspace: vscode.Memento;
  readonly #everywhere: vscode.Memento;

  constructor({ workspaceState, globalState }: Mementos) {
    this.#workspace = workspaceState;
    this.#everywhere = globalState;
  }

  read(): Form {
    const own = formSchema.safeParse(this.#workspace.get(key));
    if (own.success) return own.data;
    const last = formSchema.safeParse(this.#everywhere.get(key));
    return last.success ? elsewhere(last.data) : defaultForm;
  }

  async write(form: Form): Promise<void> {
    await Promise.all([this.#workspace.update(key, form), this.#everywhere.update(key, elsewhere(form))]);
  }
}

function elsewhere(form: Form): Form {
  return { ...form, locked: false, restored: false };
}
