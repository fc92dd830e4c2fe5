/** Which kind a file is shows in its content; a file that is something else is called what it is. And strict selection. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync, zipSync } from 'fflate';
import { UserError } from '../../backend/protocol/errors.ts';
import { configKey, loadWeights } from '../../backend/weights/load.ts';
import { encodeSafetensors, writeSafetensors } from '../../backend/weights/safetensors.ts';
import { selectTensors } from '../../backend/weights/select.ts';
import { bytes, refusal, scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();
const sample = { shape: [2, 2], data: Float32Array.of(0.5, -0.25, 1024, 0) };

test('safetensors under any name, float16 widened, with its configuration', async () => {
  const config = { class: 'EDMPrecond', img_resolution: 32, channel_mult: [1, 2] };
  const path = scratch.path('model.pkl');
  const metadata = { [configKey]: JSON.stringify(config), note: 'mine' };
  await writeSafetensors(path, [['w', sample]], { dtype: 'F16', metadata });
  const loaded = await loadWeights(path);
  const dtypes = new Map([['w', 'F16']]);
  const tensors = new Map([['w', sample]]);
  assert.deepEqual(loaded, { tensors, dtypes, path: [], others: [], config, format: 'safetensors', metadata });
});

test('safetensors without a configuration', async () => {
  const path = await scratch.write('plain', encodeSafetensors([['w', sample]]));
  const [tensors, dtypes] = [new Map([['w', sample]]), new Map([['w', 'F32']])];
  assert.deepEqual(await loadWeights(path), {
    tensors,
    dtypes,
    path: [],
    others: [],
    format: 'safetensors',
    metadata: {},
  });
});

const withConfig = (text: string) => encodeSafetensors([['w', sample]], { metadata: { [configKey]: text } });
const tar = Buffer.alloc(1024);
tar.write('model.bin');
tar.write('ustar', 257);

const mistakes: [what: string, content: Uint8Array | string, message: RegExp][] = [
  ['an empty file', '', /the file is empty/],
  ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n', /Git LFS pointer/],
  ['a web page', '<!DOCTYPE html>\n<html><body>404</body></html>', /web page/],
  ['a web page behind white space', '\n\n  <HTML lang="en">', /web page/],
  ['an XML error of a bucket', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /web page/],
  ['an index of shards', '{\n  "metadata": {}, "weight_map": {}}', /JSON text/],
  ['a list in JSON', '[{"a": 1}]', /JSON text/],
  ['a gzip archive', gzipSync(bytes('weights')), /gzip/],
  ['a tar archive', tar, /tar archive/],
  ['a zip of pictures', zipSync({ '00000/img.png': bytes('x') }), /no data.pkl/],
  ['an ONNX file', bytes('\x08\x08\x12\x0ddmd-workbench\x18\x01'), /ONNX file/],
  ['an ONNX file of PyTorch', bytes('\x08\x07\x12\x07pytorch\x1a\x05'), /ONNX file/],
  ['an HDF5 file', bytes('\x89HDF\r\n\x1a\n'), /HDF5/],
  ['a PNG picture', bytes('\x89PNG\r\n\x1a\n'), /PNG/],
  ['plain text', 'hello, this is a readme', /no weights file \(it starts with 68656c6c6f2c2074\)/],
  ['one byte', 'x', /no weights file/],
  ['zeros', new Uint8Array(4096), /no weights file/],
  ['a configuration that is not JSON', withConfig('{'), /'dmd.network' is not JSON/],
  ['a configuration that is a list', withConfig('[1]'), /'dmd.network' is no JSON object/],
];

for (const [what, content, message] of mistakes) {
  test(`refused: ${what}`, async () => {
    const path = await scratch.write('model.pt', content);
    await assert.rejects(loadWeights(path), refusal(new RegExp(`^${path}: .*(${message.source})`)));
  });
}

test('a folder and a missing file', async () => {
  await mkdir(scratch.path('diffusers'));
  await assert.rejects(loadWeights(scratch.path('diffusers')), refusal(/diffusers: this is a folder/));
  await assert.rejects(loadWeights(scratch.path('absent.pkl')), refusal(/absent.pkl: no such file/));
  await assert.rejects(loadWeights('/dev/null'), refusal(/not a regular file/));
});

const tensor = (...shape: number[]) => ({ shape, data: new Float32Array(0) });

test('what is expected comes out in the expected order, derived buffers left aside', () => {
  const file = new Map([
    ['b', tensor(3)],
    ['enc.down.resample_filter', tensor(1, 1, 2, 2)],
    ['u', tensor(1001)],
    ['a', tensor(2, 2)],
  ]);
  const expected = new Map([
    ['a', [2, 2]],
    ['b', [3]],
  ]);
  const selected = selectTensors(file, expected, 'w.pkl');
  assert.deepEqual([...selected.keys()], ['a', 'b']);
  assert.equal(selected.get('a'), file.get('a'));
  const strict = () => selectTensors(file, expected, 'w.pkl', { ignore: () => false });
  assert.throws(strict, refusal(/w.pkl: .*2 unexpected \(enc.down.resample_filter, u\)/));
});

test('everything that does not fit is counted, the first few are named', () => {
  const file = new Map([...'abcdef'].map((name) => [`extra.${name}`, tensor(1)]));
  file.set('square', tensor(4, 4)).set('same', tensor(1));
  const expected = new Map([
    ['square', [4, 2]],
    ['same', [1]],
    ['gone', [7]],
    ['scalar', []],
  ]);
  file.set('scalar', tensor(1));
  assert.throws(
    () => selectTensors(file, expected, 'w.safetensors'),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(
        error.message,
        'w.safetensors: the tensors do not fit the network: 1 missing (gone); ' +
          '6 unexpected (extra.a, extra.b, extra.c, and 3 more); ' +
          '2 of another shape (square [4, 4] where [4, 2] is needed, scalar [1] where [] is needed)',
      );
      return true;
    },
  );
});
