/** Prompts from text files and from COCO's captions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCaptions } from '../../backend/data/captions.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();

test('one prompt per line, in any script; empty lines are passed over', async () => {
  const path = await scratch.write('prompts.txt', 'a red circle \r\n\n  # 1 einhörn\n星\n \n');
  assert.deepEqual(await readCaptions(path), ['a red circle', '# 1 einhörn', '星']);
});

test('COCO: the first caption of each image, in the order of the file', async () => {
  const annotations = [
    { image_id: 9, id: 3, caption: 'A cat\n on a mat. ' },
    { image_id: 2, id: 1, caption: 'A dog.' },
    { image_id: 9, id: 2, caption: 'Another.' },
    { image_id: 5, id: 4, caption: ' ' },
  ];
  const path = await scratch.write('captions.json', JSON.stringify({ info: {}, images: [], annotations }));
  assert.deepEqual(await readCaptions(path), ['A cat on a mat.', 'A dog.']);
});

test('what holds no prompts is refused by name', async () => {
  const refused = async (name: string, content: string | Uint8Array, pattern: RegExp) => {
    await assert.rejects(readCaptions(await scratch.write(name, content)), refusal(pattern, 'data'));
  };
  await refused('empty.txt', ' \n\n', /empty\.txt holds no prompts/);
  await refused('none.json', '{"annotations": []}', /none\.json holds no prompts/);
  await refused('half.json', '{"annotations": [', /half\.json starts like JSON but is none/);
  await refused('boxes.json', '{"annotations": [{"image_id": 1, "bbox": []}]}', /annotations\.0\.caption/);
  await refused('latin1.txt', Uint8Array.of(0x61, 0xe4, 0x0a), /latin1\.txt is not a text file/);
  await refused('picture.txt', Uint8Array.of(0x61, 0, 0x62), /picture\.txt is not a text file/);
  await assert.rejects(readCaptions(scratch.path('missing.txt')), refusal(/cannot read .*missing\.txt/, 'data'));
  await assert.rejects(readCaptions(scratch.path()), refusal(/cannot read/, 'data'));
});
