/**
 * The JavaScript that reads a value inside a stopped Node or browser program: one expression, a function that is called once and
 * gone. It writes to nothing that was there before, and uses none of Node's modules. Question and answer are those of the Python
 * reader (python/reader.ts): `dmd1:HEAD:NUMBERS:end`.
 *
 * Arrays are typed arrays, nested arrays of numbers, and what libraries make of them: an object with `dims` or `shape` and a
 * typed array `data` (ONNX Runtime, ndarray with its strides), TensorFlow.js' tensors, ImageData. A getter of such an object may
 * run code of its library, as it does when the editor shows it.
 */
export const javascriptReader = `(value, question) => {
  const ask = JSON.parse(question);
  const product = (sizes) => sizes.reduce((all, size) => all * size, 1);
  const refuse = (refused, detail) => { throw { refused, detail }; };
  const kindOf = (thing) => Object.prototype.toString.call(thing).slice(8, -1);
  const isTyped = (thing) => ArrayBuffer.isView(thing) && kindOf(thing) !== 'DataView';
  const named = (thing) => thing === null ? 'null' : typeof thing === 'object' ? (thing.constructor?.name ?? 'Object') : typeof thing;

  const dense = (data, shape, dtype, library) => {
    const strides = shape.map((_, axis) => product(shape.slice(axis + 1)));
    return { data, shape, strides, offset: 0, dtype, library };
  };
  const typed = (data) => kindOf(data).replace(/Clamped/, '').replace(/Array$/, '').toLowerCase();
  const flatten = (thing, shape, depth, into) => {
    if (depth === shape.length) {
      if (typeof thing !== 'number') refuse('notNumbers', named(thing));
      into.push(thing);
      return;
    }
    if (!(Array.isArray(thing) || isTyped(thing)) || thing.length !== shape[depth]) refuse('ragged', depth);
    for (let i = 0; i < thing.length; i++) flatten(thing[i], shape, depth + 1, into);
  };
  const nested = (thing) => {
    const shape = [];
    for (let level = thing; Array.isArray(level) || isTyped(level); level = level[0]) {
      shape.push(level.length);
      if (level.length === 0 || shape.length > 5) break;
    }
    if (product(shape) > 1048576) refuse('largeList', product(shape));
    const data = [];
    if (shape.length <= 5) flatten(thing, shape, 0, data);
    return dense(data, shape, 'number', 'Array');
  };
  const adopt = (thing) => {
    if (typeof thing === 'number') return dense([thing], [], 'number', 'number');
    if (isTyped(thing)) return dense(thing, [thing.length], typed(thing), kindOf(thing));
    if (Array.isArray(thing)) return nested(thing);
    if (typeof thing !== 'object' || thing === null) refuse('notArray', named(thing));
    const shape = thing.dims ?? thing.shape;
    if (Array.isArray(shape)) {
      if (thing.isDisposed === true) refuse('noData', named(thing));
      const data = typeof thing.dataSync === 'function' ? thing.dataSync() : thing.data;
      if (isTyped(data) || Array.isArray(data)) {
        const whole = dense(data, [...shape], isTyped(data) ? typed(data) : 'number', named(thing));
        if (Array.isArray(thing.stride)) return { ...whole, strides: [...thing.stride], offset: thing.offset ?? 0 };
        if (data.length !== product(shape)) refuse('shape', [data.length, [...shape]]);
        return whole;
      }
    }
    if (isTyped(thing.data) && thing.data.length === thing.width * thing.height * 4) {
      return dense(thing.data, [thing.height, thing.width, 4], typed(thing.data), named(thing));
    }
    return refuse('notArray', named(thing));
  };

  const each = (box, steps, at, order, use) => {
    let start = box.offset;
    at.forEach((index, axis) => { if (index !== null) start += index * box.strides[axis]; });
    const walk = (depth, place) => {
      if (depth === order.length) return use(Number(box.data[place]));
      const axis = order[depth];
      for (let i = 0; i < box.shape[axis]; i += steps[axis]) walk(depth + 1, place + i * box.strides[axis]);
    };
    walk(0, start);
  };
  const count = (box) => {
    const all = box.shape.map((_, axis) => axis);
    let total = 0, nan = 0, above = 0, below = 0, zero = 0, low = Infinity, high = -Infinity, mean = 0, square = 0, finite = 0;
    each(box, all.map(() => 1), all.map(() => null), all, (number) => {
      total++;
      if (number !== number) nan++;
      else if (number === Infinity) above++;
      else if (number === -Infinity) below++;
      else {
        if (number === 0) zero++;
        if (number < low) low = number;
        if (number > high) high = number;
        const delta = number - mean;
        mean += delta / ++finite;
        square += delta * (number - mean);
      }
    });
    const measured = finite > 0 ? [low, mean, high, Math.sqrt(square / finite)] : [NaN, NaN, NaN, NaN];
    return [total, ...measured, nan, above, below, zero];
  };
  const cut = (box, picture) => {
    const { at, step, order } = picture;
    if (at.length !== box.shape.length) refuse('changed', box.shape);
    at.forEach((index, axis) => { if (index !== null && !(index >= 0 && index < box.shape[axis])) refuse('changed', box.shape); });
    const kept = at.flatMap((index, axis) => index === null ? [axis] : []);
    const shown = product(kept.map((axis) => Math.ceil(box.shape[axis] / step[axis])));
    if (shown > ask.mostShown) refuse('large', shown);
    const wide = !/^(float32|float16|u?int8|u?int16)$/.test(box.dtype);
    const numbers = wide ? new Float64Array(shown) : new Float32Array(shown);
    let next = 0;
    each(box, step, at, order, (number) => { numbers[next++] = number; });
    return { format: wide ? 'f8' : 'f4', numbers };
  };

  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const base64 = (bytes) => {
    const pieces = [];
    let piece = '';
    for (let i = 0; i < bytes.length; i += 3) {
      const three = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
      piece += letters[three >> 18] + letters[(three >> 12) & 63];
      piece += (i + 1 < bytes.length ? letters[(three >> 6) & 63] : '=') + (i + 2 < bytes.length ? letters[three & 63] : '=');
      if (piece.length > 65536) { pieces.push(piece); piece = ''; }
    }
    pieces.push(piece);
    return pieces.join('');
  };
  const ascii = (text) => {
    const escaped = unescape(encodeURIComponent(text));
    return Uint8Array.from(escaped, (letter) => letter.charCodeAt(0));
  };
  const answer = (head, parts) => {
    const bytes = parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    const all = new Uint8Array(bytes.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of bytes) { all.set(part, at); at += part.length; }
    return 'dmd1:' + base64(ascii(JSON.stringify(head))) + ':' + base64(all) + ':end';
  };

  try {
    let box = adopt(value);
    const size = product(box.shape);
    if (ask.shape !== null) {
      if (product(ask.shape) !== size) refuse('shape', [size, ask.shape]);
      if (box.strides.some((stride, axis) => stride !== product(box.shape.slice(axis + 1)))) refuse('strided', box.shape);
      box = { ...dense(box.data, ask.shape, box.dtype, box.library), offset: box.offset };
    }
    if (box.shape.length > 5) refuse('axes', box.shape);
    if (size === 0) refuse('empty', box.shape);
    const counted = ask.count && size <= ask.mostCounted;
    const { shape, dtype, library } = box;
    const head = { shape, dtype, device: 'cpu', library, counted };
    const parts = [Float64Array.from(counted ? count(box) : new Array(9).fill(NaN))];
    if (ask.picture !== null) {
      const picture = cut(box, ask.picture);
      head.format = picture.format;
      parts.push(picture.numbers);
    }
    return answer(head, parts);
  } catch (error) {
    const known = typeof error?.refused === 'string' ? error : { refused: 'failed', detail: String(error).slice(0, 2000) };
    return answer({ refused: known.refused, detail: known.detail }, []);
  }
}`;
