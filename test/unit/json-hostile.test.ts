/** JSON of files that mean harm: nested without end, lists without end, a key that changes objects. Every reader refuses it in words. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openImageDataset } from '../../backend/data/image-dataset.ts';
import { openPairs } from '../../backend/data/pairs.ts';
import { readPngText } from '../../backend/data/png-text.ts';
import { readPromptFile } from '../../backend/data/prompts/prompt-file.ts';
import { configProblems, parseConfig, readRoughly } from '../../backend/protocol/config/index.ts';
import { applyOverrides } from '../../backend/protocol/config/overrides.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { JsonError, parseJson } from '../../backend/protocol/json.ts';
import { decodeManifest } from '../../backend/runs/checkpoints/checkpoint-manifest.ts';
import { readAnnotations } from '../../backend/runs/folder/annotations.ts';
import { parseRunInfo } from '../../backend/runs/folder/run-info.ts';
import { comparable, differences } from '../../backend/server/runs/compare.ts';
import { ClipTokenizer } from '../../backend/text/index.ts';
import { readJsonObject } from '../../backend/weights/diffusers/json-file.ts';
import { loadWeights } from '../../backend/weights/load.ts';
import { encodeSafetensors } from '../../backend/weights/safetensors.ts';
import { nameAt } from '../../extension/config/name-at.ts';
import { configHead } from '../../extension/tasks/config-head.ts';
import { type PngChunk, packPng, zlibZeros } from '../fuzz/make/png.ts';
import { scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();
const deep = `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`;

test('what is nested deeper than anybody writes is refused before it is built, what is not is read', () => {
  assert.throws(() => parseJson(deep), new JsonError('it is nested more than 100 levels deep'));
  const allowed = `${'['.repeat(99)}{"a":"[[[[{\\"]"}${']'.repeat(99)}`;
  assert.deepEqual(parseJson(allowed), JSON.parse(allowed));
  assert.throws(() => parseJson(`[${allowed}]`), JsonError);
  assert.throws(() => parseJson('['.repeat(1e6)), JsonError);
});

test('more values than anybody needs are refused, and text that looks like some is text', () => {
  assert.throws(() => parseJson('[0,0,0]', { values: 3 }), new JsonError('it has more than 3 values'));
  assert.deepEqual(parseJson('["0,0,\\",{[:0",1]', { values: 3 }), ['0,0,",{[:0', 1]);
});

test('a key __proto__ is refused however it is spelled; as a text, or where keys are but names, it is one more', () => {
  for (const key of ['__proto__', '\\u005f_proto__', '__pr\\u006fto__']) {
    assert.throws(() => parseJson(`[{"b":{"${key}":{"polluted":1}}}]`), /it has the key "__proto__"/);
  }
  assert.deepEqual(parseJson('["__proto__"]'), ['__proto__']);
  const names = parseJson('{"__proto__":1}', { anyNames: true }) as object;
  assert.deepEqual(Object.entries(names), [['__proto__', 1]]);
});

test('what is no JSON is said as the language says it', () => {
  for (const text of ['', '{', '[1,]', '"', '"\\', ']]]]', 'nul']) {
    assert.throws(
      () => parseJson(text),
      (error: Error) => error instanceof JsonError && error.cause instanceof SyntaxError && error.message !== '',
    );
  }
});

/** By what reads it: a file of this text. */
const readers: Record<string, (text: string) => unknown> = {
  'a config': (text) => parseConfig(text, 'a.dmd.json'),
  'run.json': (text) => parseRunInfo(text, 'run.json'),
  'a config of a model': async (text) => readJsonObject(await scratch.write('config.json', text)),
  prompts: async (text) => readPromptFile(await scratch.write('prompts.json', text), 'a'),
  'the header of safetensors': (text) => {
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(text.length));
    return loadWeightsOf(Buffer.concat([head, Buffer.from(text)]));
  },
  "a network's config in safetensors": (text) =>
    loadWeightsOf(encodeSafetensors([], { metadata: { 'dmd.network': text } })),
  'the manifest of pairs': async (text) => openPairs(await folderWith('pairs', 'pairs.json', text)),
  'labels of a data set': async (text) => {
    const folder = await folderWith('data', 'dataset.json', text);
    fs.copyFileSync('media/icon.png', path.join(folder, 'a.png'));
    return openImageDataset(folder);
  },
  'a vocabulary': async (text) => {
    const folder = await folderWith('tokenizer', 'vocab.json', text);
    fs.writeFileSync(path.join(folder, 'merges.txt'), '');
    return ClipTokenizer.fromFolder(folder);
  },
  'a tokenizer': async (text) => ClipTokenizer.fromFolder(await folderWith('tokenizer2', 'tokenizer.json', text)),
};

async function loadWeightsOf(bytes: Uint8Array) {
  return loadWeights(await scratch.write('a.safetensors', bytes));
}

async function folderWith(name: string, file: string, text: string): Promise<string> {
  const folder = scratch.path(name);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, file), text);
  return folder;
}

for (const [what, read] of Object.entries(readers)) {
  test(`${what}, nested 5000 deep, is refused in words that say so`, async () => {
    await assert.rejects(
      async () => read(deep),
      (error: Error) => error instanceof UserError && /nested more than \d+ levels deep/.test(error.message),
    );
  });
}

test('where damage is a warning, depth is one', async () => {
  const folder = await folderWith('run', 'about.json', deep);
  assert.match(readAnnotations(folder).warning, /nested more than 100 levels deep/);
  assert.throws(() => decodeManifest(deep, 'manifest.json'), /nested more than 100 levels deep/);
  assert.match(configProblems(deep)[0]!.what, /nested more than 50 levels deep/);
});

test('a value on the command line that is nested without end is a text', () => {
  const config = parseConfig(fs.readFileSync('media/scenes/generator.dmd.json', 'utf8'), 'x');
  assert.throws(() => applyOverrides(config, [`seed=${'['.repeat(50_000)}${']'.repeat(50_000)}`]), UserError);
});

test('configs that are only looked at, nested without end, are none', async () => {
  const text = `{"kind": "teach", "out": "x", "data": ${'['.repeat(1e5)}`;
  assert.equal(readRoughly(text), undefined);
  assert.deepEqual(differences([comparable(text), comparable('{"a": 1, // one\n}')]), [
    { key: 'a', values: [null, '1'] },
  ]);
  assert.deepEqual(await configHead(await scratch.write('a.dmd.json', text)), { kind: 'distill', hasOut: false });
  assert.equal(nameAt(text, text.length), undefined);
});

test('damaged texts without end in a picture cost no minutes, and those before them are read', () => {
  const bombs = Array.from({ length: 900 }, () => ({
    name: 'zTXt',
    content: Buffer.concat([Buffer.from('a\0\0'), zlibZeros(3)]),
  }));
  const chunk = (keyword: string): PngChunk => ({ name: 'tEXt', content: Buffer.from(`${keyword}\0yes`) });
  const start = process.cpuUsage();
  const texts = readPngText(packPng([chunk('first'), ...bombs, chunk('last')]));
  assert.deepEqual(Object.keys(texts), ['first']);
  const { user, system } = process.cpuUsage(start);
  assert.ok(user + system < 2e6, `${(user + system) / 1e6} s of the processor`);
});
