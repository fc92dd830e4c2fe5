"""As much of PyTorch's tensors as the reader uses, over NumPy, for machines without PyTorch.

It is as strict as PyTorch where that matters: an operation on a tensor that requires a gradient, with grad mode on, becomes a node
of the graph, and what PyTorch refuses is refused.
"""
import sys
import types

import numpy

strided, sparse_coo = 'torch.strided', 'torch.sparse_coo'
float32, float64, int64, uint8, bfloat16, quint8 = (
    types.SimpleNamespace(name=name, numpy=kind)
    for name, kind in [
        ('float32', 'f4'), ('float64', 'f8'), ('int64', 'i8'), ('uint8', 'u1'), ('bfloat16', 'f4'), ('quint8', 'u1')])
graph = []
_state = {'grad': True, 'random': 17}
cuda = types.SimpleNamespace(is_current_stream_capturing=lambda: _state.get('capturing', False))


class _Dtype:
    def __init__(self, kind):
        self.kind = kind

    def __str__(self):
        return 'torch.' + self.kind.name

    def __eq__(self, other):
        return str(self) == str(other)


for _kind in ('float32', 'float64', 'int64', 'uint8', 'bfloat16', 'quint8'):
    globals()[_kind] = _Dtype(globals()[_kind])


def is_grad_enabled():
    return _state['grad']


def get_rng_state():
    return _state['random']


def _op(function):
    def traced(self, *args):
        if self.requires_grad and _state['grad']:
            graph.append(function.__name__)
        return function(self, *args)

    return traced


class Tensor:
    def __init__(self, array, dtype=None, device='cpu', requires_grad=False, layout=strided, is_quantized=False):
        self._array = array
        self.dtype = dtype or globals()[str(array.dtype)] if str(array.dtype) != 'bool' else 'torch.bool'
        self.device, self.requires_grad, self.layout, self.is_quantized = device, requires_grad, layout, is_quantized
        self.shape = tuple(array.shape)

    def _like(self, array):
        return Tensor(array, self.dtype if str(array.dtype) != 'bool' else None, self.device)

    def __array__(self, *_, **__):
        raise TypeError('can not convert a tensor on a device to NumPy')

    def detach(self):
        return self._like(self._array)

    def as_subclass(self, kind):
        return self

    def numel(self):
        return self._array.size

    def element_size(self):
        return self._array.itemsize

    def is_complex(self):
        return False

    def to(self, what):
        if self.layout != strided or self.is_quantized:
            raise RuntimeError('not for this layout')
        if isinstance(what, str):
            if self.device == 'lost':
                raise RuntimeError('CUDA error: device-side assert triggered')
            return Tensor(self._array, self.dtype, what)
        return Tensor(self._array.astype(what.kind.numpy), what, self.device)

    @_op
    def reshape(self, shape):
        return self._like(self._array.reshape(shape))

    @_op
    def permute(self, order):
        return self._like(self._array.transpose(order))

    @_op
    def contiguous(self):
        return self._like(numpy.ascontiguousarray(self._array))

    @_op
    def __getitem__(self, index):
        return self._like(numpy.asarray(self._array[index._array if isinstance(index, Tensor) else index]))

    @_op
    def __sub__(self, other):
        return self._like(self._array - (other._array if isinstance(other, Tensor) else other))

    @_op
    def __eq__(self, other):
        return Tensor(self._array == other, device=self.device)

    def data_ptr(self):
        if self.device != 'cpu':
            raise RuntimeError('not on the CPU')
        return self._array.ctypes.data


for _name in ('isfinite', 'isnan', 'square'):
    def _each(self, _name=_name):
        return Tensor(getattr(numpy, _name)(self._array), device=self.device)

    _each.__name__ = _name
    setattr(Tensor, _name, _op(_each))
for _name in ('sum', 'all', 'min', 'max', 'mean'):
    def _all(self, _name=_name):
        return Tensor(numpy.asarray(getattr(self._array, _name)(), dtype='f8'), device=self.device)

    _all.__name__ = _name
    setattr(Tensor, _name, _op(_all))
for _name, _to in (('__bool__', bool), ('__int__', int), ('__float__', float)):
    setattr(Tensor, _name, lambda self, _to=_to: _to(self._array))


def view_as_real(tensor):
    raise RuntimeError('no complex numbers here')


def tensor(array, **options):
    return Tensor(numpy.asarray(array), **options)


