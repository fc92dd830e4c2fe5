/** Generating as panel and palette share it, against a backend that answers from memory: which seed is drawn, and what is kept of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { finished, readView, restorePng, start } from '../../backend/protocol/panels/generate.ts';
import type { Form } from '../../backend/protocol/panels/generate-form.ts';
import type { Generated, GenerateSettings, ModelInfo } from '../../backend/protocol/rpc/images.ts';
import type { Seed } from '../../backend/protocol/seed.ts';
import { defaultForm } from '../../extension/generate/form.ts';
import { importWithVscode } from '../webview/vscode-stub.ts';
import { fakePanel } from './extension/fake-panel.ts';

type Host = Omit<typeof import('./generate/host.ts'), 'vscode'> & { vscode: typeof import('../webview/vscode-api.ts') };
const { GeneratePanel, GenerateSession, generateFromPrompt, generateImage, restoreImageSettings, vscode } =
  await importWithVscode<Host>('test/unit/generate/host.ts');

const words: ModelInfo = {
  ...{ model: 'builtin:words', title: 'Words', origin: 'builtin', role: 'generator', imageShape: [3, 64, 64] },
  ...{ classes: [], prompt: true, guidance: null, steps: 1, samplers: [], sizeStep: 8, bytes: 1, run: null },
  ...{ teacher: 'builtin:words/teacher', problem: '' },
};
const teacher: ModelInfo = {
  ...{ ...words, model: 'builtin:words/teacher', title: 'Words, teacher', role: 'teacher', teacher: null },
  ...{ guidance: 4, steps: 20, samplers: ['ddim', 'euler'] },
};
const shapes: ModelInfo = { ...words, model: 'shapes', title: 'Shapes', prompt: false, classes: ['disc', 'ring'] };

const folder = mkdtempSync(join(tmpdir(), 'dmd-generate-session-'));
after(() => rmSync(folder, { recursive: true }));

let asked: GenerateSettings[];
let png: { settings: GenerateSettings; text: object } | null;
let histories = 0;

beforeEach(() => {
  asked = [];
  png = null;
  vscode.answers.clear();
  vscode.calls.length = 0;
  vscode.answers.set('workspace.getConfiguration', () => ({ get: (_: string, otherwise: unknown) => otherwise }));
  vscode.answers.set('window.withProgress', (_: unknown, work: (...values: unknown[]) => unknown) =>
    work({ report: () => {} }, { onCancellationRequested: () => ({ dispose: () => {} }) }),
  );
});

function generated({ seeds }: GenerateSettings): Generated {
  return {
    images: seeds.map((seed) => ({ seed, class: null, png: Uint8Array.of(1, 2, Number(seed) % 256) })),
    ...{ width: 64, height: 64, millisecondsPerImage: 2, startupMilliseconds: 0 },
    ...{ device: 'cpu', why: '', modelSha256: 'x', notes: [] },
  };
}

function memento() {
  const values = new Map<string, unknown>();
  return {
    get: (key: string) => values.get(key),
    update: async (key: string, value: unknown) => values.set(key, value),
  };
}

/** A window of a workspace. */
function open(workspaceState = memento(), globalState = memento()) {
  const nothing = () => ({ dispose: () => {} });
  const backend = {
    onNotification: nothing,
    request: async ({ method }: { method: string }, params: { settings: GenerateSettings }) => {
      if (method === 'models/list') return [words, teacher, shapes];
      if (method === 'images/settings') return png;
      if (method !== 'images/generate') return [];
      asked.push(params.settings);
      return generated(params.settings);
    },
  };
  const context = { workspaceState, globalState, globalStorageUri: { fsPath: join(folder, `${histories++}`) } };
  const services = {
    ...{ backend, errors: { log: assert.fail }, roots: { list: () => [], onDidChange: nothing } },
    ...{ modelFiles: { paths: () => [], onDidChange: nothing }, runs: { onDidChange: nothing } },
  };
  return new GenerateSession(context as never, services as never);
}

const form = (changes: Partial<Form>): Form => ({ ...defaultForm, model: words.model, count: 1, ...changes });
const seedsOf = (): Seed[] => asked.flatMap(({ seeds }) => seeds);
const restorable = (changes: Partial<GenerateSettings>): GenerateSettings => ({
  ...{ model: words.model, seeds: [777], classes: null, prompt: 'a red circle', steps: 1, device: 'cpu' },
  ...changes,
});

test('Generate keeps the live image, seed and all; otherwise every generation draws another seed', async () => {
  const session = open();
  await session.load();
  const live = form({ prompt: 'a green star', live: true, seed: 4711 });
  const drawn = await session.drawLive(live);
  assert.deepEqual(seedsOf(), [4711]);
  const entry = await session.generate(live, { keepSeed: true });
  assert.deepEqual(entry.sides[0]?.settings, asked[0], 'what was seen is what is kept');
  assert.deepEqual(await session.history.image(entry.id, 0, 0), drawn?.generated.images[0]?.png);
  await session.generate(session.form);
  assert.notEqual(seedsOf()[2], 4711);
  assert.equal(session.form.locked, false);
});

test('the panel asks for what its page asks: the seed of the live image, and what did not fit', async () => {
  const session = open();
  const page = fakePanel();
  const services = {
    extensionUri: vscode.Uri.file('/extension'),
    log: { error: assert.fail },
    errors: { log: assert.fail },
  };
  new GeneratePanel(session, services as never).adopt(page as never);
  await page.ask(readView, {});
  for (const keep of [true, false]) {
    const done = new Promise<void>((resolve) => {
      const listening = session.onDidFinish(() => {
        listening.dispose();
        resolve();
      });
    });
    await page.ask(start, { form: form({ prompt: 'a green star', live: true, seed: 4711 }), keep });
    await done;
  }
  assert.deepEqual([seedsOf()[0], seedsOf()[1] === 4711], [4711, false]);
  assert.equal(page.told.filter(({ method }) => method === finished.method).length, 2);
  png = { settings: restorable({ sampler: 'dreamy' }), text: {} };
  assert.deepEqual(await page.ask(restorePng, { png: Uint8Array.of(0) }), { lost: ['sampler'] });
});

test('a live image can be saved by its number until others took its place', async () => {
  const session = open();
  await session.load();
  const first = await session.drawLive(form({ prompt: 'one', seed: 5 }));
  const { side, png: bytes } = session.live.shown(first!.live);
  assert.deepEqual([side.settings.prompt, side.images[0]?.seed], ['one', 5]);
  assert.deepEqual(bytes, first?.generated.images[0]?.png);
  for (let seed = 0; seed < 20; seed++) await session.drawLive(form({ prompt: 'more', seed }));
  assert.throws(() => session.live.shown(first!.live), /no longer here/);
});

test('a PNG gives its sampler and size back, and what does not fit is named', async () => {
  const session = open();
  const settings = restorable({
    ...{ model: teacher.model, steps: 7, guidance: 3, negative: 'blue', sampler: 'euler', size: [64, 96] },
  });
  png = { settings, text: {} };
  assert.deepEqual(await session.restorePng(Uint8Array.of(0), 'x.png'), []);
  await session.generate(session.form);
  assert.deepEqual(asked[0], settings);
  png = {
    settings: restorable({ sampler: 'euler', steps: 1, seeds: Array.from({ length: 70 }, (_, i) => i) }),
    text: {},
  };
  assert.deepEqual(await session.restorePng(Uint8Array.of(0), 'x.png'), ['seeds', 'sampler']);
  png = { settings: restorable({ model: '/gone' }), text: {} };
  assert.deepEqual(await session.restorePng(Uint8Array.of(0), 'x.png'), ['model']);
});

test('a PNG from the explorer tells which settings did not fit', async () => {
  const session = open();
  vscode.answers.set('workspace.fs.readFile', () => Uint8Array.of(0));
  const panel = { show: () => {} } as never;
  const told = () => vscode.calls.filter(([name]) => name === 'window.showWarningMessage').map(([, [text]]) => text);
  png = { settings: restorable({ model: teacher.model, steps: 7, sampler: 'euler' }), text: {} };
  await restoreImageSettings(session, panel, vscode.Uri.file('/somewhere/fine.png') as never);
  assert.deepEqual(told(), []);
  png = { settings: restorable({ sampler: 'dreamy' }), text: {} };
  await restoreImageSettings(session, panel, vscode.Uri.file('/somewhere/odd.png') as never);
  assert.deepEqual(told(), ['The form has the settings of odd.png now, but not these: Sampler.']);
});

test('the seed of a restored picture is kept for that picture alone', async () => {
  const session = open();
  await session.restore([restorable({})]);
  assert.deepEqual([session.form.locked, session.form.seed], [true, 777]);
  await session.generate(session.form);
  await generateFromPrompt(session, { show: () => {} } as never, 'a red circle');
  assert.deepEqual(seedsOf(), [777, 777], 'the same prompt makes the same picture');
  await generateFromPrompt(session, { show: () => {} } as never, 'a blue square');
  assert.notEqual(seedsOf()[2], 777);
  assert.equal(session.form.locked, false);
});

test('a seed that the person keeps stays for later prompts, but not in other workspaces', async () => {
  const [here, everywhere] = [memento(), memento()];
  const session = open(here, everywhere);
  await session.remember(form({ seed: 99, locked: true, prompt: 'mine' }));
  await generateFromPrompt(session, { show: () => {} } as never, 'another');
  assert.deepEqual(seedsOf(), [99]);
  assert.equal(open(here, everywhere).form.locked, true);
  const elsewhere = open(memento(), everywhere).form;
  assert.deepEqual([elsewhere.model, elsewhere.locked], [words.model, false]);
  assert.deepEqual(open().form, defaultForm);
});

test('a seed that is typed in the palette is that image’s alone', async () => {
  const session = open();
  await session.load();
  vscode.answers.set('window.showQuickPick', (items: never) => (items as { id?: number }[]).find(({ id }) => id === 1));
  vscode.answers.set('window.showInputBox', () => '31415');
  await generateImage(session, { show: () => {} } as never, 'shapes');
  assert.deepEqual(asked[0]?.seeds, [31415]);
  assert.deepEqual(asked[0]?.classes, [1]);
  assert.equal(session.form.locked, false);
});

test('the palette says model, steps and seed, offers examples at first use, and changes what it says', async () => {
  const session = open();
  const pick = quickPick();
  vscode.answers.set('window.createQuickPick', () => pick);
  const done = generateFromPrompt(session, { show: () => {} } as never);
  await pick.shown();
  const title = (): string => pick.title;
  assert.equal(title(), 'Words · 1 step · a new seed');
  const examples = pick.items.filter(({ prompt }) => prompt !== undefined);
  assert.ok(examples.length >= 3 && examples.some(({ label }) => label === 'a red circle on a blue ground'));
  vscode.answers.set('window.showQuickPick', (items: never) => {
    const models = items as { model: string }[];
    assert.deepEqual(
      models.map(({ model }) => model),
      [words.model, teacher.model],
      'those that take a prompt',
    );
    pick.hidden.fire();
    return models[1];
  });
  await pick.press('Choose Another Model');
  assert.equal(title(), 'Words, teacher · 20 steps · a new seed');
  await pick.press('Keep the Seed of the Last Image');
  assert.match(title(), /20 steps · seed \d+$/);
  pick.type('a red circle');
  assert.deepEqual([pick.items[0]?.label, pick.activeItems[0]?.label], ['a red circle', 'a red circle']);
  pick.accepted.fire();
  await done;
  assert.deepEqual([asked[0]?.model, asked[0]?.steps, asked[0]?.prompt], [teacher.model, 20, 'a red circle']);
  assert.ok(title().endsWith(`seed ${asked[0]?.seeds[0]}`));

  const again = quickPick();
  vscode.answers.set('window.createQuickPick', () => again);
  const second = generateFromPrompt(session, { show: () => {} } as never);
  await again.shown();
  assert.deepEqual(
    again.items.map(({ label }) => label),
    ['a red circle'],
    'no examples after the first one',
  );
  again.hidden.fire();
  await second;
  assert.equal(asked.length, 1);
});

interface Item {
  readonly label: string;
  readonly prompt?: string;
}

/** The editor's quick pick, as far as it is asked. */
function quickPick() {
  const [accepted, hidden] = [new vscode.EventEmitter<void>(), new vscode.EventEmitter<void>()];
  const [typed, pressed] = [new vscode.EventEmitter<string>(), new vscode.EventEmitter<unknown>()];
  let appear: () => void = () => {};
  const appeared = new Promise<void>((resolve) => {
    appear = resolve;
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    ...{ title: '', placeholder: '', value: '', busy: false, items: [] as Item[], activeItems: [] as Item[] },
    buttons: [] as { tooltip: string }[],
    ...{ onDidAccept: accepted.event, onDidHide: hidden.event, accepted, hidden },
    ...{ onDidChangeValue: typed.event, onDidTriggerButton: pressed.event },
    show: () => appear(),
    dispose: () => {},
    async shown() {
      await appeared;
      while (this.busy) await settle();
    },
    type(text: string) {
      this.value = text;
      typed.fire(text);
    },
    async press(tooltip: string) {
      const button = this.buttons.find((one) => one.tooltip === tooltip);
      assert.ok(button, `${tooltip} among ${this.buttons.map((one) => one.tooltip)}`);
      pressed.fire(button);
      await settle();
      await settle();
    },
  };
}
