/** Frames on a run's socket, whole, cut anywhere, damaged and oversized. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, FrameError, FrameReader } from '../../backend/runs/live/frames.ts';
import { randomBelow, uniform } from '../random.ts';

const values = () => [
  { type: 'hello', protocol: 1 },
  {
    scalars: { a: Number.NaN, b: Number.NEGATIVE_INFINITY, c: uniform() },
    data: Float32Array.from({ length: 37 }, uniform),
  },
  'ä漢字'.repeat(50),
  null,
];

test('a stream of frames gives the same values wherever it is cut', () => {
  const sent = values();
  const stream = Buffer.concat(sent.map((value) => encodeFrame(value)));
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = new FrameReader();
    const read = [...reader.read(stream.subarray(0, cut)), ...reader.read(stream.subarray(cut))];
    assert.deepEqual(read, sent, `cut at ${cut}`);
    assert.equal(reader.partial, false);
  }
});

test('byte by byte, a frame is there with its last byte and not before', () => {
  const [, value] = values();
  const frame = encodeFrame(value);
  const reader = new FrameReader();
  for (let i = 0; i < frame.length - 1; i++) {
    assert.deepEqual([...reader.read(frame.subarray(i, i + 1))], []);
    assert.equal(reader.partial, true);
  }
  assert.deepEqual([...reader.read(frame.subarray(-1))], [value]);
});

test('an oversized frame is refused by its length alone, and not sent in the first place', () => {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(1001);
  assert.throws(() => [...new FrameReader(1000).read(header)], FrameError);
  header.writeUInt32LE(1000);
  assert.deepEqual([...new FrameReader(1000).read(header)], []);
  assert.throws(() => encodeFrame(new Uint8Array(1000), 1000), FrameError);
});

test('garbage of a plausible length is refused, never a crash or a wrong value', () => {
  const good = encodeFrame(values()[1]);
  let refused = 0;
  for (let round = 0; round < 2000; round++) {
    const bad = Buffer.from(good);
    for (let i = 0; i < 4; i++) bad[4 + randomBelow(bad.length - 4)] = uniform() * 256;
    try {
      const read = [...new FrameReader().read(bad)];
      assert.equal(read.length, 1);
    } catch (error) {
      assert.ok(error instanceof FrameError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 100, `${refused} of 2000 were refused`);
  assert.throws(() => [...new FrameReader().read(Buffer.from('GET / HTTP/1.1\r\n\r\n'))], FrameError);
});
