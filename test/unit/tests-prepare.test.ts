/** What a test prepares stands at the top of its file: some versions of Node start a top-level `before` beside the first test. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));

test('no test file has a top-level before, nor does a helper that is called there', () => {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  assert.ok(files.length > 200);
  const preparing = files.filter((file) => {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    return /^before\(/m.test(text) || (!file.endsWith('.test.ts') && /\bbefore\b.* from 'node:test'/.test(text));
  });
  assert.deepEqual(preparing, []);
});
