/**
 * The Python that reads a value inside the stopped program. It is sent whole with every question and keeps nothing there: the
 * functions live in a dictionary of their own that is gone with the answer, no name is added to a frame or a module, and only
 * the standard library is imported (NumPy and PyTorch are used where the program has loaded them already).
 *
 * `read(value, question)` takes what `Question` of question.ts says as JSON and answers with one line of ASCII without quotes or
 * backslashes, so that no adapter has to escape it: `dmd1:HEAD:NUMBERS:end`, both parts in base64. HEAD is JSON; NUMBERS are nine
 * little-endian doubles (count, min, mean, max, standard deviation, NaN, +Inf, -Inf, zeros; what is not finite is in the counts
 * alone) and after them the picture, its axes in the order asked for, as float32 or float64.
 *
 * Short answers are filled up with dots to more than a packet of the loopback interface: debugpy sends what is shorter in two parts, of
 * which the second waits 40 ms for an acknowledgement of the first.
 *
 * PyTorch: `detach` builds no graph, so grad mode is never touched; no random number is drawn; what lies on a device is counted
 * there piece by piece and only the picture is copied. On the
 * CPU a piece is small enough for PyTorch not to start threads. A CUDA graph that is being captured would be spoiled by any of it, and a
 * tensor that is spread over processes would wait for the others: both are refused.
 */
export const pythonReader = `
import base64, json, math, struct, sys

class Refused(Exception):
    pass

def read(value, question):
    ask = json.loads(question)
    try:
        box = adopt(value, ask)
        if ask['shape'] is not None:
            box = box.shaped(ask['shape'])
        if len(box.shape) > 5:
            raise Refused('axes', list(box.shape))
        if box.size == 0:
            raise Refused('empty', list(box.shape))
        head = {'shape': list(box.shape), 'dtype': box.dtype, 'device': box.device, 'library': box.library}
        counted = ask['count'] and box.size <= ask['mostCounted']
        numbers = struct.pack('<9d', *(box.count() if counted else [math.nan] * 9))
        head['counted'] = counted
        if ask['picture'] is not None:
            head['format'], picture = cut(box, ask['picture'], ask['mostShown'])
            numbers += picture
        return answer(head, numbers)
    except Refused as refusal:
        return answer({'refused': refusal.args[0], 'detail': refusal.args[1]}, b'')
    except Exception as error:
        return answer({'refused': 'failed', 'detail': type(error).__name__ + ': ' + str(error)[:2000]}, b'')

def answer(head, numbers):
    coded = [base64.b64encode(part).decode('ascii') for part in (json.dumps(head).encode('utf-8'), numbers)]
    text = 'dmd1:' + coded[0] + ':' + coded[1] + ':'
    return text + '.' * (66000 - len(text)) + 'end'

def cut(box, picture, most):
    at, step = picture['at'], picture['step']
    if len(at) != len(box.shape):
        raise Refused('changed', list(box.shape))
    index, shown = [], 1
    for axis, size in enumerate(box.shape):
        if at[axis] is None:
            index.append(slice(None, None, step[axis]))
            shown *= -(-size // step[axis])
        elif not 0 <= at[axis] < size:
            raise Refused('changed', list(box.shape))
        else:
            index.append(at[axis])
    if shown > most:
        raise Refused('large', shown)
    kept = [axis for axis in range(len(at)) if at[axis] is None]
    return box.numbers(tuple(index), [kept.index(axis) for axis in picture['order']])

def adopt(value, ask):
    torch, numpy = sys.modules.get('torch'), sys.modules.get('numpy')
    tensor = getattr(torch, 'Tensor', None)
    if isinstance(tensor, type) and isinstance(value, tensor):
        return Torch(torch, plain(torch, value))
    if isinstance(value, (bool, int, float)):
        return Plain([float(value)], [], type(value).__name__)
    library = (type(value).__module__ or '').split('.')[0]
    if numpy is None:
        return by_hand(value, library)
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return Numpy(numpy, value if is_masked(value) else numpy.asarray(value), 'numpy')
    if hasattr(value, '__array__') or hasattr(value, '__array_interface__'):
        shape = getattr(value, 'shape', None) or ()
        if math.prod(shape) > ask['mostCounted']:
            raise Refused('large', math.prod(shape))
        return Numpy(numpy, numpy.asarray(value), library, str(getattr(value, 'device', 'cpu')))
    try:
        return Numpy(numpy, numpy.asarray(memoryview(value)), library)
    except TypeError:
        return by_hand(value, library)

def is_masked(array):
    return hasattr(array, 'filled') and hasattr(array, 'mask')

def plain(torch, value):
    name = type(value).__name__
    if value.layout != torch.strided:
        raise Refused('sparse', str(value.layout))
    if value.is_quantized:
        raise Refused('quantized', str(value.dtype))
    if hasattr(value, 'to_local') or name == 'DTensor':
        raise Refused('distributed', name)
    device = str(value.device)
    if device == 'meta' or name == 'FakeTensor':
        raise Refused('noData', name)
    if device.startswith('cuda') and torch.cuda.is_current_stream_capturing():
        raise Refused('capturing', device)
    return value.detach().as_subclass(torch.Tensor)

def by_hand(value, library):
    try:
        value = memoryview(value).tolist()
        name = library
    except (TypeError, NotImplementedError):
        name = type(value).__name__
    if not isinstance(value, (list, tuple)):
        raise Refused('notArray', type(value).__module__ + '.' + type(value).__qualname__)
    shape, level = [], value
    while isinstance(level, (list, tuple)):
        shape.append(len(level))
        if len(level) == 0 or len(shape) > 5:
            break
        level = level[0]
    if math.prod(shape) > 262144:
        raise Refused('largeList', math.prod(shape))
    numbers = []
    flatten(value, shape, 0, numbers)
    return Plain(numbers, shape, name)

def flatten(value, shape, depth, into):
    if depth < len(shape):
        if not isinstance(value, (list, tuple)) or len(value) != shape[depth]:
            raise Refused('ragged', depth)
        for inner in value:
            flatten(inner, shape, depth + 1, into)
    elif isinstance(value, (bool, int, float)):
        into.append(float(value))
    else:
        raise Refused('notNumbers', type(value).__module__ + '.' + type(value).__qualname__)

class Counter:
    def __init__(self):
        self.count = self.nan = self.above = self.below = self.zero = self.finite = 0
        self.low, self.high, self.mean, self.square = math.inf, -math.inf, 0.0, 0.0

    def add(self, count, nan, above, below, zero, low, high, mean, square):
        self.count += count
        self.nan += nan
        self.above += above
        self.below += below
        self.zero += zero
        finite = count - nan - above - below
        if finite == 0:
            return
        self.low, self.high = min(self.low, low), max(self.high, high)
        total, delta = self.finite + finite, mean - self.mean
        self.square += square + delta * delta * self.finite * finite / total
        self.mean += delta * finite / total
        self.finite = total

    def result(self):
        known = self.finite > 0
        spread = math.sqrt(self.square / self.finite) if known else math.nan
        measured = [self.low, self.mean, self.high, spread] if known else [math.nan] * 4
        return [self.count] + measured + [self.nan, self.above, self.below, self.zero]

class Box:
    def count(self):
        counter = Counter()
        for piece in pieces(self.array, self.shape, 1 << (15 if self.device == 'cpu' else 21)):
            self.tally(piece, counter)
        return counter.result()

def pieces(array, shape, most):
    if len(shape) == 0 or math.prod(shape) <= most:
        yield array
        return
    row = math.prod(shape[1:])
    rows = max(1, most // max(1, row))
    for at in range(0, shape[0], rows):
        if row > most:
            for piece in pieces(array[at], shape[1:], most):
                yield piece
        else:
            yield array[at:at + rows]

class Numpy(Box):
    def __init__(self, numpy, array, library, device='cpu'):
        kind = array.dtype.kind
        if kind == 'c':
            parts = {8: 'f4', 16: 'f8'}.get(array.dtype.itemsize)
            array = numpy.stack([array.real, array.imag], -1) if parts is None else array[..., None].view(parts)
        elif kind not in 'biuf' and not (kind == 'V' and array.dtype.names is None and array.dtype.name[:4] in ('bflo', 'floa')):
            raise Refused('notNumbers', str(array.dtype))
        self.numpy, self.array, self.library, self.device = numpy, array, library, device
        self.dtype = str(array.dtype) if kind != 'c' else 'complex' + str(array.dtype.itemsize * 16)
        self.shape, self.size = array.shape, math.prod(array.shape)

    def shaped(self, shape):
        if math.prod(shape) != self.size:
            raise Refused('shape', [self.size, shape])
        self.array, self.shape = self.array.reshape(shape), tuple(shape)
        return self

    def tally(self, piece, counter):
        numpy = self.numpy
        if is_masked(piece):
            piece = piece.astype('f8').filled(math.nan)
        all = numpy.asarray(piece).astype('f8', copy=False)
        fits = numpy.isfinite(all)
        some = all if fits.all() else all[fits]
        with numpy.errstate(all='ignore'):
            mean = float(some.mean()) if some.size else 0.0
            square = float(numpy.square(some - mean).sum())
        counter.add(
            all.size, int(numpy.isnan(all).sum()), int((all == math.inf).sum()), int((all == -math.inf).sum()),
            int((all == 0).sum()), float(some.min()) if some.size else 0, float(some.max()) if some.size else 0, mean, square)

    def numbers(self, index, order):
        part = self.array[index]
        if is_masked(part):
            part = part.astype('f8').filled(math.nan)
        wide = part.dtype.itemsize > 4 or part.dtype.kind in 'iu' and part.dtype.itemsize > 2
        format = 'f8' if wide else 'f4'
        with self.numpy.errstate(all='ignore'):
            return format, part.transpose(order).astype('<' + format).tobytes()

class Torch(Box):
    def __init__(self, torch, array):
        self.torch, self.library, self.dtype, self.device = torch, 'torch', str(array.dtype)[6:], str(array.device)
        array = torch.view_as_real(array.resolve_conj()) if array.is_complex() else array
        self.array, self.shape, self.size = array, tuple(array.shape), array.numel()

    def shaped(self, shape):
        if math.prod(shape) != self.size:
            raise Refused('shape', [self.size, shape])
        self.array, self.shape = self.array.reshape(shape), tuple(shape)
        return self

    def tally(self, piece, counter):
        all = piece.to(self.torch.float32 if self.device.startswith('mps') else self.torch.float64)
        fits = all.isfinite()
        some = all if bool(fits.all()) else all[fits]
        known = some.numel() > 0
        mean = some.mean() if known else 0.0
        square = (some - mean).square().sum() if known else 0.0
        counter.add(
            all.numel(), int(all.isnan().sum()), int((all == math.inf).sum()), int((all == -math.inf).sum()),
            int((all == 0).sum()), float(some.min()) if known else 0, float(some.max()) if known else 0, float(mean), float(square))

    def numbers(self, index, order):
        import ctypes
        torch, name = self.torch, str(self.array.dtype)
        format = 'f8' if name in ('torch.float64', 'torch.int64', 'torch.int32', 'torch.uint32', 'torch.uint64') else 'f4'
        part = self.array[index].permute(order)
        part = part.to('cpu').to(torch.float64 if format == 'f8' else torch.float32).contiguous()
        return format, ctypes.string_at(part.data_ptr(), part.numel() * part.element_size())

class Plain(Box):
    def __init__(self, numbers, shape, library):
        self.array, self.shape, self.size = numbers, tuple(shape), len(numbers)
        self.dtype, self.library, self.device = 'float', library, 'cpu'

    def shaped(self, shape):
        if math.prod(shape) != self.size:
            raise Refused('shape', [self.size, shape])
        return Plain(self.array, shape, self.library)

    def count(self):
        counter, all = Counter(), self.array
        some = [number for number in all if math.isfinite(number)]
        mean = math.fsum(some) / len(some) if some else 0.0
        counter.add(
            len(all), sum(1 for n in all if n != n), all.count(math.inf), all.count(-math.inf), all.count(0.0),
            min(some, default=0), max(some, default=0), mean, math.fsum((n - mean) ** 2 for n in some))
        return counter.result()

    def numbers(self, index, order):
        kept, strides, stride, start = [], [], 1, 0
        for size in reversed(self.shape):
            strides.insert(0, stride)
            stride *= size
        for axis, at in enumerate(index):
            if isinstance(at, slice):
                kept.append((strides[axis], range(0, self.shape[axis], at.step or 1)))
            else:
                start += at * strides[axis]
        places = [start]
        for axis in order:
            stride, steps = kept[axis]
            places = [place + stride * step for place in places for step in steps]
        return 'f8', struct.pack('<%dd' % len(places), *(self.array[place] for place in places))
`;
