/** The pickle machine: every opcode's value, and refusals instead of code, endless memory or endless time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from '../../backend/weights/pickle/byte-reader.ts';
import { parsePickle } from '../../backend/weights/pickle/parse.ts';
import type { Value } from '../../backend/weights/pickle/values.ts';
import { Refusal } from '../../backend/weights/refusal.ts';
import { torchEnvironment } from '../../backend/weights/torch/environment.ts';
import { loadStorage } from '../../backend/weights/torch/legacy.ts';
import { limitHere } from '../machine-speed.ts';
import { bytes, text, uint32 } from './weights/files.ts';

const parse = (pickle: string) => parsePickle(new ByteReader(bytes(pickle)), torchEnvironment(loadStorage));

/** [what, instructions without the final STOP, the value] */
const values: [string, string, Value][] = [
  ['None, True, False', '(N\x88\x89I01\nI00\nt', [null, true, false, true, false]],
  ['INT', '(I-7\nI+12\nI9007199254740993\nt', [-7, 12, 9007199254740993n]],
  ['LONG', '(L-3L\nL5\nL123456789012345678901L\nt', [-3, 5, 123456789012345678901n]],
  ['FLOAT', '(F1.5\nF-2e-3\nFinf\nF-inf\nFnan\nt', [1.5, -0.002, Infinity, -Infinity, Number.NaN]],
  ['BININT', '(J\xff\xff\xff\xffK\xffM\x01\x02t', [-1, 255, 513]],
  [
    'LONG1',
    '(\x8a\x00\x8a\x01\xff\x8a\x02\xff\x00\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01t',
    [0, -1, 255, 2n ** 64n],
  ],
  ['LONG4', '\x8b\x02\x00\x00\x00\x00\x80', -32768],
  ['BINFLOAT', 'G\xbf\xf8\x00\x00\x00\x00\x00\x00', -1.5],
  ['STRING', "(S'a\\n\\x41\\'\\\\'\nS\"b\"\nt", ["a\nA'\\", 'b']],
  ['UNICODE', 'Vg\\u00fcn \\U0001f600\n', 'gün 😀'],
  ['BINSTRING', `(T${uint32(2)}abU\x01ct`, ['ab', 'c']],
  ['BINUNICODE', `(${text('é')}\x8c\x02\xc3\xa9\x8d\x03\0\0\0\0\0\0\0abct`, ['é', 'é', 'abc']],
  ['a byte order mark stays', '\x8c\x03\xef\xbb\xbf', '\ufeff'],
  [
    'BINBYTES',
    `(B${uint32(2)}\x00\xffC\x01x\x8e\x01\0\0\0\0\0\0\0y\x96\x01\0\0\0\0\0\0\0zt`,
    ['\x00\xff', 'x', 'y', 'z'].map(bytes),
  ],
  ['tuples', '()K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87t', [[], [1], [1, 2], [1, 2, 3]]],
  ['lists', '(](K\x01K\x02l]K\x05a](K\x06K\x07et', [[], [1, 2], [5], [6, 7]]],
  [
    'dictionaries',
    '(}(K\x01K\x02d}K\x03K\x04s}(K\x05K\x06ut',
    [new Map(), new Map([[1, 2]]), new Map([[3, 4]]), new Map([[5, 6]])],
  ],
  ['sets', '(\x8f(K\x01K\x02\x90(K\x03\x91t', [new Set([1, 2]), new Set([3])]],
  ['POP, DUP, POP_MARK', '(K\x01K\x020(K\x03K\x041(02t', [1, 1]],
  ['memo', '(K\x07q\x05p6\n0\x8c\x01a\x94r\x00\x01\x00\x000h\x05g6\nj\x00\x01\x00\x00h\x02t', [7, 7, 'a', 'a']],
  ['FRAME', '\x80\x04\x95\x03\0\0\0\0\0\0\0K\x01', 1],
  [
    'OrderedDict',
    'ccollections\nOrderedDict\n(]((K\x01K\x02t(K\x03K\x04tetR',
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  ['its attributes are dropped', 'ccollections\nOrderedDict\n)R}\x8c\x09_metadataNsb', new Map()],
  ['STACK_GLOBAL and NEWOBJ', '\x8c\x08builtins\x8c\x03set\x93(](K\x01et\x81', new Set([1])],
  ['INST and OBJ', '((icollections\nOrderedDict\n(c__builtin__\nset\n]ot', [new Map(), new Set()]],
  ['bytes of protocol 2', `c_codecs\nencode\n(${text('\x00ÿ')}${text('latin1')}tR`, bytes('\x00\xff')],
  [
    'numpy scalar',
    'cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x02f8\x89\x88tR(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbC\x08\0\0\0\0\0\0\xf8?tR',
    1.5,
  ],
  [
    'big-endian numpy scalar',
    'cnumpy._core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x02i2tR(K\x03U\x01>tbC\x02\x01\x02tR',
    258,
  ],
];

for (const [what, pickle, value] of values) {
  test(`${what}`, () => assert.deepEqual(parse(`${pickle}.`), value));
}

test('a list in two places is one list', () => {
  const [first, second] = parse('(]q\x00h\x00K\x01at.') as Value[];
  assert.equal(first, second);
  assert.deepEqual(first, [1]);
});

test('pickles in one file are read one after the other', () => {
  const input = new ByteReader(bytes('K\x01.K\x02.rest'));
  const environment = torchEnvironment(loadStorage);
  assert.deepEqual([parsePickle(input, environment), parsePickle(input, environment)], [1, 2]);
  assert.equal(input.remaining, 4);
});

const command = text('touch /tmp/pwned');

/** [what, whole pickle, what the refusal says] */
const refused: [string, string, RegExp][] = [
  ['a shell by GLOBAL', `cos\nsystem\n(${command}tR.`, /asks for os\.system/],
  ['a shell by STACK_GLOBAL', `\x8c\x02nt\x8c\x06system\x93${command}\x85R.`, /asks for nt\.system/],
  ['a shell by INST', `(${command}iposix\nsystem\n.`, /asks for posix\.system/],
  ['a shell by OBJ', `(cposix\nsystem\n${command}o.`, /asks for posix\.system/],
  ['eval', `cbuiltins\neval\n(${text('1')}tR.`, /builtins\.eval/],
  ['getattr', `c__builtin__\ngetattr\n.`, /__builtin__\.getattr/],
  ['a part of something allowed', 'ccollections\nOrderedDict.fromkeys\n.', /OrderedDict\.fromkeys/],
  ['a name from the prototype', 'cconstructor\nconstructor\n.', /constructor\.constructor/],
  ['the pytorch loader itself', 'ctorch\nload\n.', /torch\.load/],
  ['a class that is only a name', 'ctorch\nFloatStorage\n)R.', /calls torch\.FloatStorage/],
  ['a call of a number', 'K\x01)R.', /calls 1/],
  ['arguments that are none', 'ccollections\nOrderedDict\nK\x01R.', /OrderedDict with 1/],
  ['the extension registry', '\x82\x01.', /extension codes/],
  ['out-of-band buffers', '\x97.', /buffers elsewhere/],
  ['named constructor arguments', 'ccollections\nOrderedDict\n)}K\x01K\x02s\x92.', /named arguments/],
  ['a persistent id that is no storage', 'Pabc\n.', /'abc', kept outside/],
  ['an unknown protocol', '\x80\x06N.', /protocol 6/],
  ['an unknown opcode', '\xff.', /byte 0, 0xff/],
  ['an empty stack', '.', /not there/],
  ['a value below the mark', 'K\x01(0aN.', /not there|appends to/],
  ['no mark', 'K\x01t.', /mark that was never set/],
  ['an empty memo', 'h\x07.', /recalls value 7/],
  ['a negative memo index', 'Np-1\n.', /memo index -1/],
  ['no end', 'K\x01', /ends early/],
  ['a text past the end', `X${uint32(2 ** 32 - 1)}abc.`, /4294967295 bytes/],
  ['a text of 2^63 bytes', '\x8d\0\0\0\0\0\0\0\x80a.', /9223372036854775808/],
  ['bytes past the end', `B${uint32(1000)}abc.`, /ends early: 1000 bytes/],
  ['a frame past the end', '\x95\xff\0\0\0\0\0\0\0N.', /cut off/],
  ['an integer of a megabyte', `\x8b${uint32(2 ** 20)}${'\x01'.repeat(2 ** 20)}.`, /integer of 1048576 bytes/],
  ['a line of digits without end', `I${'1'.repeat(5000)}\n.`, /line of 5000 bytes/],
  ['no number', 'I0x10\n.', /'0x10' for an integer/],
  ['no float', 'F\n.', /for a number/],
  ['an item of a list', ']K\x01K\x02s.', /sets an item of a list/],
  ['half an item', '}(K\x01u.', /key without a value/],
  ['appending to a dictionary', '}K\x01a.', /appends to a dictionary/],
  ['adding to a list', '](\x90.', /adds members to a list/],
  ['a numpy scalar of objects', 'cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x01OtRC\x01xtR.', /type 'O'/],
  [
    'a numpy scalar of another size',
    'cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x02f8tRC\x01xtR.',
    /'f8' is bytes/,
  ],
  ['another encoding', `c_codecs\nencode\n(${text('a')}${text('rot13')}tR.`, /rot13/],
  ['a storage within a storage', nested(nested('N')), /storage contains a storage|not in the format/],
  ['a storage that is none', nested('N'), /not in the format/],
];

/** A storage saved on its own whose bytes are this pickle. */
function nested(pickle: string): string {
  return `ctorch.storage\n_load_from_bytes\n(B${uint32(pickle.length + 1)}${pickle}.tR.`;
}

for (const [what, pickle, message] of refused) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => parse(pickle),
      (error) => error instanceof Refusal && message.test(error.message),
      what,
    );
  });
}

/** Small files that would build endlessly much. Each must end by the budget, soon. */
const bombs: [string, string][] = [
  ['dictionaries', `(${'}'.repeat(2_000_000)}t.`],
  ['marks', '('.repeat(6_000_000)],
  ['memo entries', `N${'\x94'.repeat(6_000_000)}.`],
  ['copies of a long list', `(${'N'.repeat(100_000)}lq\x00${'cbuiltins\ntuple\n(h\x00tR0'.repeat(1000)}.`],
  ['sets of a long list', `(${'K\x01'.repeat(100_000)}lq\x00${'cbuiltins\nset\n(h\x00tR0'.repeat(1000)}.`],
  [
    'copies of a text',
    `${text('a'.repeat(10 ** 6))}q\x00${`c_codecs\nencode\n(h\x00${text('latin1')}tR0`.repeat(1000)}.`,
  ],
];

for (const [what, pickle] of bombs) {
  test(`bounded: ${what}`, () => {
    const start = process.cpuUsage().user;
    assert.throws(() => parse(pickle), /more objects than any model needs/);
    assert.ok(process.cpuUsage().user - start < 1000 * limitHere(15_000), 'took too long');
  });
}

test('lists in lists in lists are read without recursion', () => {
  const deep = parse(`${']'.repeat(300_000)}${'a'.repeat(299_999)}.`);
  assert.ok(Array.isArray(deep) && deep.length === 1);
});
