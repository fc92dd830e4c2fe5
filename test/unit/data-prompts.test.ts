/** Prompts from files: text in its encodings, tables, JSON, COCO's captions; and by name what is none of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readPromptFile } from '../../backend/data/prompts/prompt-file.ts';
import { promptList, readPrompts } from '../../backend/methods/common/prompts.ts';
import { parseConfig } from '../../backend/protocol/config/index.ts';
import { refusal, scratchFolder } from './weights/files.ts';

const scratch = scratchFolder();

async function prompts(name: string, content: string | Uint8Array, column?: string): Promise<string[]> {
  return readPromptFile(await scratch.write(name, content), column);
}

async function refused(name: string, content: string | Uint8Array, pattern: RegExp, column?: string) {
  const file = await scratch.write(name, content);
  assert.throws(() => readPromptFile(file, column), refusal(pattern, 'data'));
}

/** What it says to do next. */
async function hintFor(name: string, content: string): Promise<string> {
  const file = await scratch.write(name, content);
  try {
    readPromptFile(file);
  } catch (error) {
    if (error instanceof Error && 'hint' in error) return String(error.hint);
  }
  return assert.fail(`${name} is not refused`);
}

const two = ['ein roter Kreis – 星 🟥', 'a blue square'];
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

test('one prompt per line, in any script; empty lines are passed over', async () => {
  assert.deepEqual(await prompts('a.txt', 'a red circle \r\n\n  # 1 einhörn\n星\n \n'), [
    'a red circle',
    '# 1 einhörn',
    '星',
  ]);
});

test('any line end, and UTF-8 and UTF-16 by their marks, in either order of bytes', async () => {
  for (const end of ['\n', '\r\n', '\r', '\u2028', '\u2029', '\u0085', '\v', '\f', '\r\r\n']) {
    const text = two.join(end);
    assert.deepEqual(await prompts('ends.txt', text), two, JSON.stringify(end));
    assert.deepEqual(
      await prompts('ends.txt', `\ufeff${text}${end}`),
      two,
      `UTF-8 with a mark, ${JSON.stringify(end)}`,
    );
    assert.deepEqual(await prompts('ends.txt', utf16(text)), two, `UTF-16 LE, ${JSON.stringify(end)}`);
    assert.deepEqual(await prompts('ends.txt', utf16(text).swap16()), two, `UTF-16 BE, ${JSON.stringify(end)}`);
  }
});

test('other encodings and binary files are refused by name, with the place', async () => {
  await refused(
    'latin1.txt',
    Buffer.from('a circle\na große Kugel', 'latin1'),
    /latin1\.txt is not UTF-8 \(byte 0xdf at line 2, character 6\).*Latin-1/,
  );
  await refused('cut.txt', Buffer.from('ein Stück', 'utf8').subarray(0, 7), /cut\.txt is not UTF-8 \(byte 0xc3/);
  await refused(
    'nomark.txt',
    utf16('a red circle\na blue square').subarray(2),
    /nomark\.txt seems to be UTF-16 text without its mark/,
  );
  const letters = utf16('ein grüner Kreis').subarray(2); // no UTF-8 either
  await refused('letters.txt', letters, /letters\.txt seems to be UTF-16 text without its mark/);
  await refused('letters.txt', Buffer.from(letters).swap16(), /seems to be UTF-16 text without its mark/);
  await refused('odd.txt', utf16('a red circle').subarray(0, 21), /odd\.txt is damaged: it begins as UTF-16/);
  await refused('half.txt', Buffer.concat([utf16('a'), Buffer.from([0x00, 0xd8])]), /half\.txt is damaged/);
  await refused('utf32.txt', Uint8Array.of(0xff, 0xfe, 0, 0, 97, 0, 0, 0), /utf32\.txt is UTF-32 text/);
  await refused(
    'zero.txt',
    Uint8Array.of(0x61, 0, 0x62),
    /zero\.txt is not a text file: .*character 0 at line 1, character 2/,
  );
  await refused('bell.txt', 'a red circle\n\x07', /bell\.txt is not a text file.*line 2/);
  await refused('noise.txt', Uint8Array.of(1, 0xff, 2, 0xee, 3), /noise\.txt is not a text file/);
  await refused('list.gz', gzipSync('a red circle'), /list\.gz is compressed with gzip/);
  await refused('part.parquet', 'PAR1\x15\x04', /part\.parquet is a Parquet file/);
  await refused('page.txt', '<!DOCTYPE html>\n<html>', /page\.txt is a web page/);
  await refused('lfs.txt', 'version https://git-lfs.github.com/spec/v1\noid sha256:00', /Git LFS/);
  await refused('letter.txt', '{\\rtf1\\ansi a red circle}', /RTF/);
});

test('a file that is empty, missing or no file is refused', async () => {
  await refused('empty.txt', ' \n\n', /empty\.txt holds no prompts/);
  await refused('mark.txt', utf16(''), /mark\.txt holds no prompts/);
  await refused('none.json', '{"annotations": []}', /none\.json holds no prompts/);
  await refused('list.json', '[]', /list\.json holds no prompts/);
  await refused('void.json', '', /void\.json starts like JSON but is none/);
  await refused('header.tsv', 'URL\tTEXT\n', /header\.tsv holds no prompts in its column "TEXT"/, 'TEXT');
  assert.throws(() => readPromptFile(scratch.path('missing.txt')), refusal(/cannot read .*missing\.txt/, 'io'));
  assert.throws(() => readPromptFile(scratch.path()), refusal(/is a folder/, 'data'));
});

test('a pipe with nobody at its other end is refused, not waited for', { skip: process.platform === 'win32' }, () => {
  const pipe = scratch.path('pipe.txt');
  execFileSync('mkfifo', [pipe]);
  assert.throws(() => readPromptFile(pipe), refusal(/pipe\.txt is not a regular file/, 'data'));
});

const table = (delimiter: string, end = '\n') =>
  [
    ['URL', 'TEXT', 'hash'],
    ['http://x/1.jpg', 'a red circle', '123'],
    ['http://x/2.jpg', '', '4'],
    ['http://x/3.jpg', `"a ""blue""${delimiter} square\nin two lines"`, '5'],
  ]
    .map((row) => row.join(delimiter))
    .join(end);
const fromTable = (delimiter: string) => ['a red circle', `a "blue"${delimiter.trim()} square in two lines`];

test('a column of a table, whatever divides it, ends its lines and encodes it', async () => {
  for (const [name, delimiter] of [
    ['a.tsv', '\t'],
    ['a.csv', ','],
    ['b.csv', ';'],
    ['c.csv', '|'],
    ['d.csv', '\t'],
  ] as const) {
    for (const end of ['\n', '\r\n', '\r']) {
      const text = table(delimiter, end);
      const found = (content: string | Uint8Array) => prompts(name, content, 'TEXT');
      assert.deepEqual(await found(text), fromTable(delimiter), `${name} ${JSON.stringify(end)}`);
      assert.deepEqual(await found(utf16(text)), fromTable(delimiter), 'UTF-16, as spreadsheets write it');
    }
  }
});

test('a table is never read as prompts: without a column it is refused with the columns there are', async () => {
  for (const [name, delimiter] of [
    ['a.tsv', '\t'],
    ['a.csv', ','],
    ['b.txt', '\t'],
    ['b', ','],
    ['c.txt', ';'],
  ] as const) {
    const text = table(delimiter).split('\n').slice(0, 3).join('\n');
    await refused(name, text, /is a table \([CT]SV\), not a prompt per line/);
    assert.match(await hintFor(name, text), /--prompt-column.*text\.promptColumn.*"URL", "TEXT", "hash"/);
    await refused(name, text, /has no column "text"/, 'text');
    assert.deepEqual(await prompts(name, text, 'TEXT'), ['a red circle']);
  }
  await refused('one.csv', 'prompt\na red circle', /table/);
  await refused(
    'lines.csv',
    'a red circle, on green\na blue square',
    /lines\.csv is read as a table \(CSV\), but line 2 has 1 cells/,
  );
  await refused('short.tsv', 'URL\tTEXT\n\na\tb\nc', /short\.tsv .* line 4 has 1 cells, the first line 2/, 'TEXT');
  await refused('open.csv', 'URL,TEXT\na,"b', /open\.csv .*quotes that do not close/, 'TEXT');
});

test('a table without a line of names: its columns have numbers', async () => {
  const text = 'a red circle\thttp://x/1.jpg\n6" nails\thttp://x/2.jpg\n"red" circle\thttp://x/3.jpg';
  assert.deepEqual(await prompts('cc3m.tsv', text, '1'), ['a red circle', '6" nails', '"red" circle']);
  assert.deepEqual(await prompts('cc3m.txt', text, '1'), ['a red circle', '6" nails', '"red" circle']);
  await refused('cc3m.tsv', text, /has no column "3"/, '3');
  await refused('laion.tsv', table('\t').replaceAll('"', ''), /has no column "2"|line 5/, '2');
  await refused('named.tsv', 'URL\tTEXT\na\tb', /has no column "2"/, '2');
});

test('tables by other names and marks: the column of row numbers, two words, blanks, one column, a hint for spreadsheets', async () => {
  const tables: [text: string, column: string, found: string[]][] = [
    [',caption\n0,ein roter Kreis – 星 🟥\n1,a blue square', 'caption', two],
    ['image id,caption text\n1,ein roter Kreis – 星 🟥\n2,a blue square', 'caption text', two],
    ['image_name| comment_number| comment\n1.jpg| 0| ein roter Kreis – 星 🟥\n1.jpg| 1| a blue square', 'comment', two],
    ['Prompt\nein roter Kreis – 星 🟥\na blue square', 'Prompt', two],
    ['sep=;\r\nid;caption\r\n1;ein roter Kreis – 星 🟥\r\n2;a blue square', 'caption', two],
  ];
  for (const [text, column, found] of tables) {
    await refused('a.txt', text, /is a table/);
    assert.match(await hintFor('a.txt', text), new RegExp(`--prompt-column.*${column}`));
    assert.deepEqual(await prompts('a.txt', text, column), found);
  }
});

test('lines that are no prompts, every one of them, are refused by what they are', async () => {
  for (const [text, what] of [
    ['http://x/1.jpg\ta red circle\nhttp://x/2.jpg', /is a list of addresses/],
    ['s3://x/1.jpg\n\ns3://x/2.jpg\n', /is a list of addresses/],
    ['/data/1.png\r\n/data/2.JPG', /is a list of picture files/],
    ['- a red circle\n- a blue square', /is a list in YAML or Markdown/],
    ['prompts:\n  - a red circle\n', /is YAML/],
    ['<svg width="1"/>', /is a web page or XML/],
    ['<Error><Code>NoSuchKey</Code></Error>', /is a web page or XML/],
    ['%!PS-Adobe-3.0', /is a PostScript document/],
    ['<captions>\n<c>a red circle</c>\n</captions>\n', /is XML/],
    ['1. a red circle\n2. a blue square', /is a numbered list/],
    ['1) a red circle\n\n2) a blue square\n', /is a numbered list/],
    ["'a red circle',\n'a blue square',\n", /is a list of a program/],
    ['1\r\n00:00:01,000 --> 00:00:02,500\r\na red circle\r\n', /is subtitles of a film/],
    ['WEBVTT\n\n00:01.000 --> 00:02.000\na red circle\n', /is subtitles of a film/],
    ['| prompt | n |\n|:---|---|\n| a red circle | 1 |\n', /is a table in Markdown/],
    ['a red circle\nNegative prompt: blue\nSteps: 20, Sampler: Euler a, Seed: 1\n', /is settings of pictures/],
    ['7,a red circle\n8,a blue square\n', /is a table/],
  ] as const) {
    await refused('a.txt', text, what);
  }
  assert.deepEqual(await prompts('a.txt', '7,a red circle\n8,a blue square\n', '2'), ['a red circle', 'a blue square']);
  const odd = ['1. a red circle', '<b>bold</b> and a circle', '| art', '5, a lucky number', "'quoted', a circle"];
  assert.deepEqual(await prompts('a.txt', odd.join('\n')), odd);
  const lines = ['<lora:circles:1> a red circle', 'https in neon letters', 'a.png on a screen', '- 5 degrees'];
  assert.deepEqual(await prompts('a.txt', lines.join('\n')), lines);
  assert.deepEqual(await prompts('quoted.txt', two.map((line) => JSON.stringify(line)).join('\n')), two);
});

test('prompts that look like something else are prompts', async () => {
  const lines = [
    '{red|blue} circle on a green ground',
    '[circle:square:0.5]',
    '((circle)), [[square]]',
    'text, typography',
    '"a quote"',
  ];
  assert.deepEqual(await prompts('braces.txt', lines.join('\n')), lines);
  for (const line of lines) assert.deepEqual(await prompts('one.txt', line), [line]);
  assert.deepEqual(await prompts('tabs.txt', 'a red\tcircle\na blue square'), ['a red\tcircle', 'a blue square']);
  await refused('plain.txt', 'a red circle', /plain\.txt is plain text and has no column "TEXT"/, 'TEXT');
});

const rows = [
  { url: 'http://x/1.jpg', TEXT: 'a red\ncircle', width: 3 },
  { url: 'http://x/2.jpg', TEXT: null, width: 4 },
  { url: 'http://x/3.jpg', TEXT: 'a blue square', width: 5 },
];
const fromRows = ['a red circle', 'a blue square'];

test('JSON and JSON lines: a list of texts as it is, of objects with the key that was chosen', async () => {
  assert.deepEqual(await prompts('a.json', JSON.stringify(two)), two);
  assert.deepEqual(await prompts('a.jsonl', two.map((line) => JSON.stringify(line)).join('\r\n')), two);
  const whole = JSON.stringify(rows, null, 2);
  const lines = rows.map((row) => JSON.stringify(row)).join('\n');
  for (const [name, text] of [
    ['b.json', whole],
    ['b.txt', whole],
    ['b.jsonl', lines],
    ['b.json', lines],
    ['b.txt', lines],
  ] as const) {
    assert.deepEqual(await prompts(name, text, 'TEXT'), fromRows, name);
    assert.deepEqual(await prompts(name, utf16(text), 'TEXT'), fromRows, name);
    await refused(name, text, /is a list of objects \(JSON\), not a prompt per line/);
    assert.match(await hintFor(name, text), /--prompt-column.*"url", "TEXT", "width"/);
    await refused(name, text, /entry 1: "width" is 3, not a text/, 'width');
    await refused(name, text, /has no column "caption"/, 'caption');
  }
  const inside = JSON.stringify({ version: 1, rows });
  assert.deepEqual(await prompts('c.json', inside, 'TEXT'), fromRows);
  await refused('c.json', inside, /is a JSON object, not a list of prompts/);
  const columns = JSON.stringify({ url: { 0: 'http://x' }, TEXT: { 0: two[0], 1: two[1] } });
  assert.deepEqual(await prompts('d.json', columns, 'TEXT'), two);
  await refused('mixed.json', '["a", {"TEXT": "b"}]', /entry 2 is an object, not a text/);
  await refused('numbers.json', '[1, 2]', /entry 1 is 1, not a text/);
  await refused(
    'deep.json',
    '['.repeat(20_000) + ']'.repeat(20_000),
    /deep\.json starts like JSON but cannot be read: it is nested more than 100 levels/,
  );
});

test('damaged JSON is refused, not read as prompts', async () => {
  await refused('half.json', '{"annotations": [', /half\.json starts like JSON but is none/);
  await refused('half.txt', `${JSON.stringify(rows, null, 1).slice(0, 60)}`, /half\.txt starts like JSON but is none/);
  await refused(
    'third.jsonl',
    '{"TEXT": "a"}\n\n{"TEXT": "b"\n',
    /third\.jsonl is read as JSON lines, but line 3 is none/,
    'TEXT',
  );
  await refused('third.txt', '{"TEXT": "a"}\na blue square', /third\.txt is read as JSON lines, but line 2 is none/);
  await refused('python.txt', "{'url': 'http://x', 'TEXT': 'a'}\n", /python\.txt starts like JSON but is none/);
  await refused('word.json', '"a red circle"', /word\.json .*neither a list nor an object/);
});

test('COCO: the first caption of each image, in the order of the file', async () => {
  const annotations = [
    { image_id: 9, id: 3, caption: 'A cat\n on a mat. ' },
    { image_id: 2, id: 1, caption: 'A dog.' },
    { image_id: 9, id: 2, caption: 'Another.' },
    { image_id: 5, id: 4, caption: ' ' },
  ];
  const text = JSON.stringify({ info: {}, images: [], annotations });
  assert.deepEqual(await prompts('captions.json', text), ['A cat on a mat.', 'A dog.']);
  assert.deepEqual(await prompts('captions.json', text, 'caption'), ['A cat on a mat.', 'A dog.', 'Another.']);
  await refused('boxes.json', '{"annotations": [{"image_id": 1, "bbox": []}]}', /annotations\.0\.caption/);
});

test('a distillation reads its prompts the same way', async () => {
  const file = await scratch.write('list.tsv', table('\t'));
  const config = (text: object) => {
    const parsed = parseConfig(JSON.stringify({ kind: 'distill', teacher: 'x', text }), 'a test');
    return parsed.kind === 'distill' ? parsed : assert.fail();
  };
  const found = readPrompts(config({ prompts: file, promptColumn: 'TEXT', count: 1 }));
  assert.deepEqual(found, promptList(['a red circle']));
  assert.throws(() => readPrompts(config({ prompts: file })), refusal(/list\.tsv is a table/, 'data'));
  assert.throws(
    () => readPrompts(config({ prompts: 'scenes', promptColumn: 'a' })),
    refusal(/text\.promptColumn/, 'config'),
  );
});
