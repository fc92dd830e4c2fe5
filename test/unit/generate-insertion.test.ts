/** Pictures in documents: the text that shows them, safe names, and folders that nothing leads out of. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodePng, encodePng } from '../../backend/data/png.ts';
import { readPngText } from '../../backend/data/png-text.ts';
import { tensorData } from '../../backend/graph/tensor-data.ts';
import { UserError } from '../../backend/protocol/errors.ts';
import { linkPath, pictureFolder, pictureMarkup, pictureName, unusedFile } from '../../extension/generate/insertion.ts';
import { withoutText } from '../../extension/generate/png-text.ts';

const root = mkdtempSync(join(tmpdir(), 'dmd-insert-'));
after(() => rmSync(root, { recursive: true }));

test('a link is relative, and nothing in a name or a text ends it', () => {
  const shape = { width: 32, height: 16 };
  const plain = { ...shape, path: 'images/scenes-star-seed4.png', description: 'star' };
  assert.equal(pictureMarkup('markdown', plain), '![star](images/scenes-star-seed4.png)');
  assert.equal(
    pictureMarkup('html', plain),
    '<img src="images/scenes-star-seed4.png" alt="star" width="32" height="16">',
  );
  const nasty = { ...shape, path: 'a b/x)("<.png', description: ']"><script>\n' };
  assert.equal(pictureMarkup('markdown', nasty), '![\\]"><script> ](a%20b/x%29%28%22%3C.png)');
  assert.equal(
    pictureMarkup('html', nasty),
    '<img src="a%20b/x%29%28%22%3C.png" alt="]&quot;&gt;&lt;script&gt;\n" width="32" height="16">',
  );
  assert.equal(linkPath(join(root, 'docs', 'a.md'), join(root, 'images', 'x.png')), '../images/x.png');
});

test('the folder lies beside the document or elsewhere in the workspace, never outside, also not through a link', () => {
  const workspace = join(root, 'workspace');
  const document = join(workspace, 'docs', 'a.md');
  mkdirSync(join(workspace, 'docs'), { recursive: true });
  mkdirSync(join(root, 'outside'));
  symlinkSync(join(root, 'outside'), join(workspace, 'docs', 'link'));
  assert.equal(pictureFolder(document, 'images', workspace), join(workspace, 'docs', 'images'));
  assert.equal(pictureFolder(document, '../images/', workspace), join(workspace, 'images'));
  assert.equal(pictureFolder(document, '', null), join(workspace, 'docs'));
  for (const [named, within] of [
    ['../../x', workspace],
    ['../x', null],
    ['/tmp', workspace],
    ['link', workspace],
    ['link/deeper/still', workspace],
    ['..', null],
  ] as const) {
    assert.throws(() => pictureFolder(document, named, within), UserError, named);
  }
});

test('the folder for pictures may be named from the workspace folder on, and by nothing else that is replaced', () => {
  const document = join(root, 'notes', 'a.md');
  const inWorkspace = `$${'{workspaceFolder}'}/figures`;
  assert.equal(pictureFolder(document, inWorkspace, root), join(root, 'figures'));
  for (const named of [`${inWorkspace}/../..`, '~/figures', '$FIGURES', 'file:///figures']) {
    assert.throws(() => pictureFolder(document, named, root), UserError, named);
  }
});

test('names are plain and never taken twice', () => {
  const name = (model: string, className = 'star') => pictureName({ model, className, seed: 7 });
  assert.equal(name('builtin:scenes'), 'scenes-star-seed7');
  assert.equal(name('/runs/2026 my run/generator.safetensors'), '2026-my-run-generator-star-seed7');
  assert.equal(name('C:\\models\\x.onnx', ''), 'models-x-seed7');
  assert.equal(name('/a/../..', '../..'), 'seed7');
  assert.ok(name(`/x/${'y'.repeat(500)}`).length <= 120);
  const file = unusedFile(root, 'x');
  writeFileSync(file, '');
  assert.deepEqual([file, unusedFile(root, 'x')], [join(root, 'x.png'), join(root, 'x-2.png')]);
});

test('a picture without its text has the same pixels and says nothing', () => {
  const png = encodePng(
    tensorData(
      [3, 2, 3],
      Float32Array.from({ length: 18 }, (_, i) => i / 9 - 1),
    ),
    { a: 'secret' },
  );
  const bare = withoutText(png);
  assert.deepEqual(readPngText(bare), {});
  assert.ok(!Buffer.from(bare).includes('secret'));
  assert.deepEqual(decodePng(bare), decodePng(png));
  for (let length = 0; length < png.length; length++) withoutText(png.subarray(0, length));
});
