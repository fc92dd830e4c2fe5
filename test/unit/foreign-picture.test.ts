/** Pictures of other programs: whose they are, and their prompt and seed where they can be read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePng } from '../../backend/data/png.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import type { ModelInfo } from '../../backend/protocol/rpc/images.ts';
import { readForeignSettings, readPictureSettings } from '../../backend/sampling/picture-text.ts';
import { defaultForm, formOfForeign } from '../../extension/generate/form.ts';

/** Of a picture with these texts. */
function foreign(text: Record<string, string>) {
  const png = encodePng(tensorData([3, 1, 1], new Float32Array(3)), text);
  assert.equal(readPictureSettings(png), null);
  return readForeignSettings(png);
}

test("AUTOMATIC1111's web UI: lines of the prompt, the negative one and the settings", () => {
  const last =
    'Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 965400086, Size: 512x512, Model: v1-5, Version: v1.10.1';
  const program = "AUTOMATIC1111's web UI";
  assert.deepEqual(
    foreign({ parameters: `a red circle,\n(big:1.2)\nNegative prompt: blurry,\nNegative prompt\n${last}` }),
    {
      ...{ program, prompt: 'a red circle,\n(big:1.2)', negative: 'blurry,\nNegative prompt', seed: '965400086' },
    },
  );
  assert.deepEqual(foreign({ parameters: `ein großer Kreis 赤\r\n${last.replace('965400086', '7')}` }), {
    ...{ program, prompt: 'ein großer Kreis 赤', negative: null, seed: '7' },
  });
  // Written by people, not by the program.
  const tricky = `Steps: on stairs, Seed: 1\n${last}, Template: "Seed: 3, x"`;
  assert.deepEqual(
    [foreign({ parameters: tricky })?.prompt, foreign({ parameters: tricky })?.seed],
    ['Steps: on stairs, Seed: 1', '965400086'],
  );
  assert.equal(foreign({ parameters: `\n${last}` })?.prompt, '');
  assert.equal(foreign({ parameters: `a\n${last.replace(', Seed: 965400086', '')}` })?.seed, null);
  assert.match(
    foreign({ parameters: `a\n${last.replace('v1.10.1', 'f2.0.1v1.10.1-previous-224')}` })?.program ?? '',
    /Forge/,
  );
  assert.equal(foreign({ parameters: 'just a note' }), null);
});

const encode = (text: unknown) => ({ class_type: 'CLIPTextEncode', inputs: { clip: ['4', 1], text } });
const sampler = (inputs: object) => ({
  class_type: 'KSampler',
  inputs: { model: ['4', 0], steps: 20, cfg: 8, denoise: 1, ...inputs },
});
const comfy = (graph: object) => foreign({ prompt: JSON.stringify(graph) });

test("ComfyUI's graph: the texts that the sampler's links lead to", () => {
  const program = 'ComfyUI';
  const plain = {
    3: sampler({ seed: 5, positive: ['6', 0], negative: ['7', 0] }),
    6: encode('a red circle'),
    7: encode('blurry'),
  };
  const expected = { program, prompt: 'a red circle', negative: 'blurry', seed: '5' };
  assert.deepEqual(comfy(plain), expected);
  const between = {
    ...{
      1: sampler({ seed: 9, denoise: 0.4, positive: ['8', 0], negative: ['8', 1] }),
      8: { class_type: 'X', inputs: {} },
    },
    3: sampler({ seed: ['20', 0], positive: ['10', 0], negative: ['10', 1] }),
    6: encode(['11', 0]),
    7: encode('blurry'),
    10: { class_type: 'ControlNetApplyAdvanced', inputs: { positive: ['6', 0], negative: ['7', 0], strength: 1 } },
    11: { class_type: 'PrimitiveStringMultiline', inputs: { value: 'a red circle' } },
    20: { class_type: 'PrimitiveInt', inputs: { value: 5 } },
  };
  assert.deepEqual(comfy(between), expected);
  const guided = {
    5: { class_type: 'RandomNoise', inputs: { noise_seed: 5 } },
    6: encode('a red circle'),
    9: { class_type: 'FluxGuidance', inputs: { guidance: 3.5, conditioning: ['6', 0] } },
    12: { class_type: 'BasicGuider', inputs: { model: ['4', 0], conditioning: ['9', 0] } },
    13: { class_type: 'SamplerCustomAdvanced', inputs: { noise: ['5', 0], guider: ['12', 0], sigmas: ['1', 0] } },
  };
  assert.deepEqual(comfy(guided), { ...expected, negative: null });
  const zeroed = {
    ...{ 3: sampler({ seed: 5, positive: ['6', 0], negative: ['8', 0] }), 6: encode('a red circle') },
    8: { class_type: 'ConditioningZeroOut', inputs: { conditioning: ['6', 0] } },
  };
  assert.deepEqual(comfy(zeroed), { ...expected, negative: null });
});

test('seeds of 64 bits keep every digit, and NaN as Python writes it does no harm', () => {
  const graph = { 3: sampler({ seed: 1, positive: ['6', 0] }), 6: encode('say "NaN", 12345678901234567890') };
  const text = JSON.stringify(graph).replace('"seed":1', '"seed":18446744073709551615,"is_changed":[NaN,-Infinity]');
  assert.deepEqual(foreign({ prompt: text }), {
    ...{ program: 'ComfyUI', prompt: 'say "NaN", 12345678901234567890', negative: null, seed: '18446744073709551615' },
  });
});

test("ComfyUI's workflow alone says the same", () => {
  const workflow = {
    nodes: [
      {
        id: 3,
        type: 'KSampler',
        widgets_values: [5, 'randomize', 20, 8, 'euler', 'normal', 1],
        inputs: [
          { name: 'positive', link: 1 },
          { name: 'negative', link: 2 },
        ],
      },
      { id: 6, type: 'CLIPTextEncode', widgets_values: ['a red circle'], inputs: [{ name: 'clip', link: null }] },
      { id: 7, type: 'CLIPTextEncode', widgets_values: ['old'], inputs: [{ name: 'text', link: 3 }] },
      { id: 8, type: 'PrimitiveNode', widgets_values: ['blurry', 'fixed'] },
      { id: 9, type: 'Reroute', inputs: [{ name: '', link: 4 }] },
    ],
    links: [
      [1, 9, 0, 3, 1, 'CONDITIONING'],
      [2, 7, 0, 3, 2, 'CONDITIONING'],
      [3, 8, 0, 7, 0, 'STRING'],
      [4, 6, 0, 9, 0, '*'],
    ],
  };
  const expected = { program: 'ComfyUI', prompt: 'a red circle', negative: 'blurry', seed: '5' };
  assert.deepEqual(foreign({ workflow: JSON.stringify(workflow) }), expected);
  assert.deepEqual(foreign({ prompt: 'not JSON', workflow: JSON.stringify(workflow) }), expected);
});

test('graphs that make no sense end, and say nothing', () => {
  const nothing = { program: 'ComfyUI', prompt: null, negative: null, seed: null };
  const loop = { 3: sampler({ seed: ['3', 0], positive: ['6', 0] }), 6: encode(['7', 0]), 7: encode(['6', 0]) };
  assert.deepEqual(comfy(loop), nothing);
  assert.deepEqual(comfy({ 1: { class_type: 'LoadImage', inputs: { image: 'x.png' } } }), nothing);
  assert.deepEqual(comfy({ 3: sampler({ seed: -1, positive: ['99', 0] }) }), nothing);
  for (const prompt of [
    '',
    'null',
    '[]',
    '{}',
    '{"a": 1}',
    '{"nodes": [], "links": 3}',
    '['.repeat(50_000),
    `"${'\\'.repeat(99_999)}`,
  ]) {
    assert.equal(foreign({ prompt }), null, prompt.slice(0, 20));
  }
  const long = Array.from({ length: 15_000 }, (_, i) => [i, encode([String(i + 1), 0])]);
  assert.deepEqual(comfy({ ...Object.fromEntries(long), s: sampler({ seed: 1, positive: ['0', 0] }) }), {
    ...nothing,
    seed: '1',
  });
  assert.equal(comfy({ 3: sampler({ seed: 1, positive: ['6', 0] }), 6: encode('x'.repeat(20_000)) })?.prompt, null);
});

test('programs that write one JSON object: InvokeAI, SwarmUI, Fooocus, NovelAI', () => {
  const said = { prompt: 'a cat', negative: 'blurry', seed: '18446744073709551615' };
  const seed = '"seed": 18446744073709551615';
  const cases: [program: string, text: Record<string, string>][] = [
    ['InvokeAI', { invokeai_metadata: `{"positive_prompt": "a cat", "negative_prompt": "blurry", ${seed}}` }],
    ['SwarmUI', { parameters: `{"sui_image_params": {"prompt": "a cat", "negativeprompt": "blurry", ${seed}}}` }],
    [
      'Fooocus',
      {
        parameters: `{"prompt": "a cat", "negative_prompt": "blurry", "seed": "${said.seed}", "version": "Fooocus v2.5"}`,
      },
    ],
    ['NovelAI', { Software: 'NovelAI', Description: 'a cat', Comment: `{"uc": "blurry", ${seed}, "scale": NaN}` }],
  ];
  for (const [program, text] of cases) assert.deepEqual(foreign(text), { program, ...said });
  const none = { prompt: null, negative: null, seed: null };
  assert.deepEqual(foreign({ invokeai_metadata: '{"positive_prompt": 3, "seed": -1}' }), {
    program: 'InvokeAI',
    ...none,
  });
  assert.deepEqual(foreign({ Software: 'NovelAI', Comment: '{' }), { program: 'NovelAI', ...none });
  assert.equal(foreign({ parameters: '[]', invokeai_metadata: '{' }), null);
});

test('other programs are named; ours, where settings cannot say all, gives what it says', () => {
  const unknown = { prompt: null, negative: null, seed: null };
  assert.deepEqual(foreign({ Software: 'Adobe Photoshop' }), { program: 'Adobe Photoshop', ...unknown });
  assert.deepEqual(foreign({ Software: `x${'y'.repeat(500)}` })?.program.length, 60);
  assert.equal(foreign({ Comment: 'hello' }), null);
  const ours = {
    Software: 'DMD Workbench 0.1.0',
    'dmd.model': '/x',
    'dmd.steps': '1',
    'dmd.seed': '4',
    'dmd.prompt': 'a cat',
  };
  assert.deepEqual(foreign(ours), { program: 'DMD Workbench', prompt: 'a cat', negative: null, seed: '4' });
});

const model = (name: string, prompt: boolean, problem = '') =>
  ({ model: name, prompt, problem, title: name }) as unknown as ModelInfo;

test('the form takes what it can, with a model that takes a prompt', () => {
  const models = [model('scenes', false), model('broken', true, 'damaged'), model('words', true), model('more', true)];
  const before = { ...defaultForm, model: 'scenes', prompt: 'before', negative: 'n', seed: 3, steps: 4 };
  const picture = { program: 'x', prompt: 'a cat', negative: null, seed: '4294967295' };
  const form = formOfForeign(picture, before, models);
  assert.deepEqual(form, {
    ...before,
    model: 'words',
    steps: null,
    prompt: 'a cat',
    negative: '',
    seed: 2 ** 32 - 1,
    locked: true,
    restored: true,
  });
  assert.equal(formOfForeign(picture, { ...before, model: 'more' }, models).model, 'more');
  const largest = formOfForeign({ ...picture, seed: '18446744073709551615' }, before, models);
  assert.deepEqual([largest.seed, largest.locked], ['18446744073709551615', true]);
  const larger = formOfForeign({ ...picture, seed: '18446744073709551616' }, before, models);
  assert.deepEqual([larger.seed, larger.locked, larger.prompt], [3, before.locked, 'a cat']);
  assert.deepEqual(formOfForeign({ ...picture, prompt: null, seed: '9' }, before, models), {
    ...before,
    seed: 9,
    locked: true,
    restored: true,
  });
  assert.equal(formOfForeign(picture, before, [model('scenes', false)]).model, 'scenes');
});
