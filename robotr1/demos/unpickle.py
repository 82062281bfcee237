"""Load RLBench's pickles without running other code that a pickle may name.

A pickle can call any function that it names, so a downloaded recording is a program. This loader accepts only the
globals and opcodes of RLBench's own recordings; anything else stops the load before it is looked up. RLBench need not
be installed: two empty classes carry the recorded attributes. NumPy's constructors are replaced, too, because they
take an array's size from the file: here an array is as large as its bytes and holds numbers. The interpreter is the
standard library's in Python; the C version reserves memory for any memo index that a file names.
"""

import io
import math
import pickle
import pickletools
from functools import partial
from pathlib import Path

import numpy as np

from robotr1.demos.content import other_content
from robotr1.demos.layout import EpisodeError

RECORDED_CLASSES = {
    ("rlbench.demo", "Demo"),
    ("rlbench.backend.observation", "Observation"),
    ("amsolver.demo", "Demo"),  # EmbodiedBench's fork of RLBench
    ("amsolver.backend.observation", "Observation"),
}
NUMBERS = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}
OPCODES = """
    PROTO FRAME STOP MARK POP GLOBAL STACK_GLOBAL REDUCE NEWOBJ BUILD
    NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT
    UNICODE BINUNICODE SHORT_BINUNICODE BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
    EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM SETITEMS
    PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET
"""


class _Type:
    """Replaces numpy.dtype; numbers only."""

    def __init__(self, code, align=False, copy=False):
        if type(code) is not str or code not in NUMBERS:
            raise pickle.UnpicklingError("an array of something other than numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array whose shape must match the bytes in the file."""

    def __setstate__(self, state):
        _, shape, kind, by_column, data = state
        sizes = type(shape) is tuple and len(shape) <= 8 and all(type(size) is int and size >= 0 for size in shape)
        if not sizes or type(kind) is not _Type or type(data) is not bytes:
            raise pickle.UnpicklingError("an array of an unknown form")
        if math.prod(shape) * kind.dtype.itemsize != len(data):
            raise pickle.UnpicklingError("an array whose size is not that of its data")
        super().__setstate__((1, shape, kind.dtype, bool(by_column), data))

    def __reduce_ex__(self, protocol):
        return np.asarray(self).__reduce_ex__(protocol)


def _reconstruct(array_class, shape, code) -> _Array:
    return _Array(0)


def _frombuffer(data, kind, shape, order, axis_order=None) -> np.ndarray:
    """Replaces NumPy's own constructor in pickles of protocol 5."""
    sizes = type(shape) is tuple and len(shape) <= 8 and all(type(size) is int and size >= 0 for size in shape)
    if not sizes or type(kind) is not _Type or type(data) not in (bytes, bytearray) or order not in ("C", "F", "K"):
        raise pickle.UnpicklingError("an array of an unknown form")
    if math.prod(shape) * kind.dtype.itemsize != len(data):
        raise pickle.UnpicklingError("an array whose size is not that of its data")
    array = np.frombuffer(data, kind.dtype).reshape(shape, order="F" if order == "F" else "C")
    return array.copy() if axis_order is None else array.transpose(axis_order).copy()


def _scalar(kind: _Type, data: bytes):
    if type(kind) is not _Type or len(data) != kind.dtype.itemsize:
        raise pickle.UnpicklingError("a number of an unknown form")
    return np.frombuffer(data, kind.dtype)[0]


NUMPY_GLOBALS = {("numpy", "ndarray"): object(), ("numpy", "dtype"): _Type}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # NumPy 2 renamed it
    NUMPY_GLOBALS |= {(_module, "_reconstruct"): _reconstruct, (_module, "scalar"): _scalar}
for _module in ("numpy.core.numeric", "numpy._core.numeric"):
    NUMPY_GLOBALS[_module, "_frombuffer"] = _frombuffer
RECORDERS = ("rlbench", "amsolver", "pyrep")


class _AllowListUnpickler(pickle._Unpickler):
    def __init__(self, file, path: Path):
        super().__init__(file)
        self._path = path
        # New classes for each load, so that no file can change them for the next.
        self._classes = {key: type(key[1], (), {}) for key in RECORDED_CLASSES}

    def find_class(self, module: str, name: str):
        key = (module, name)
        found = self._classes.get(key) or NUMPY_GLOBALS.get(key)
        if found is None and module.partition(".")[0] in RECORDERS:
            raise EpisodeError(
                f"{self._path}: refused, because the pickle holds {module[:60]}.{name[:60]}, which RLBench 1.1 and 1.2 "
                "do not record; a fork may, such as one for two arms. Fix: record one arm with RLBench 1.1 or 1.2."
            )
        if found is None:
            raise EpisodeError(
                f"{self._path}: refused, because the pickle asks for {module[:60]}.{name[:60]}, which no RLBench "
                "recording needs and which could run code on this machine. Fix: get the recording from a source you "
                "trust and record it again with RLBench 1.1 or 1.2."
            )
        return found

    def load_global(self):
        module, name = self.readline(), self.readline()
        if not name.endswith(b"\n"):
            raise pickle.UnpicklingError("cut short")
        self.append(self.find_class(module[:-1].decode(), name[:-1].decode()))

    def load_bytearray8(self):
        size = int.from_bytes(self.read(8), "little")
        data = self.read(size)  # shorter where the file ends; the base class reserves `size` bytes first
        if len(data) != size:
            raise pickle.UnpicklingError("cut short")
        self.append(bytearray(data))

    def load_build(self):
        state = self.stack.pop()
        target = self.stack[-1]
        if type(target) in self._classes.values():
            vars(target).update({_plain_key(key): value for key, value in state.items()})
        elif type(target) in (_Type, _Array):
            target.__setstate__(state)
        else:
            raise pickle.UnpicklingError(f"attributes for a {type(target).__name__}")

    def load_dict(self):
        items = self.pop_mark()
        self.append({_plain_key(items[i]): items[i + 1] for i in range(0, len(items), 2)})

    def load_setitem(self):
        value, key = self.stack.pop(), self.stack.pop()
        dict.__setitem__(self.stack[-1], _plain_key(key), value)

    def load_setitems(self):
        items = self.pop_mark()
        for i in range(0, len(items), 2):
            dict.__setitem__(self.stack[-1], _plain_key(items[i]), items[i + 1])

    def refuse(self, name: str):
        raise EpisodeError(
            f"{self._path}: refused, because the pickle uses the opcode {name}, which no RLBench recording needs. Fix: "
            "get the recording from a source you trust and record it again with RLBench 1.1 or 1.2."
        )


def _plain_key(key):
    """Require a string as key, as in recordings; hashing a nested tuple can take forever."""
    if type(key) is not str:
        raise pickle.UnpicklingError(f"a key that is a {type(key).__name__}")
    return key


def _allowed_opcodes() -> dict:
    """Map each opcode to the method of `_AllowListUnpickler` that executes it."""
    strict = _AllowListUnpickler
    stricter = ("GLOBAL", "BUILD", "DICT", "SETITEM", "SETITEMS", "BYTEARRAY8")
    ours = {name: getattr(strict, f"load_{name.lower()}") for name in stricter}
    allowed = {}
    for opcode in pickletools.opcodes:
        allowed[ord(opcode.code)] = partial(strict.refuse, name=opcode.name)
        if opcode.name in OPCODES.split():
            allowed[ord(opcode.code)] = ours.get(opcode.name) or pickle._Unpickler.dispatch[ord(opcode.code)]
    return allowed


_AllowListUnpickler.dispatch = _allowed_opcodes()


def load_pickle(path: str | Path):
    """Load the object of an RLBench pickle; RLBench's classes become plain attribute holders.

    Raises EpisodeError for a missing or damaged file, for a global outside NUMPY_GLOBALS and RECORDED_CLASSES, and for
    an opcode outside OPCODES.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise EpisodeError(f"{path}: file not found. Fix: copy the whole episode folder again.") from None
    except OSError as error:
        raise EpisodeError(f"{path}: {error.strerror}. Fix: make it a file that you may read.") from None
    found = other_content(data)
    if found and not data.startswith(b"\x80"):
        raise EpisodeError(f"{path}: not a readable pickle: it is {found}")
    try:
        return _AllowListUnpickler(io.BytesIO(data), path).load()
    except EpisodeError:
        raise
    except Exception as error:  # a damaged pickle can raise any exception
        raise EpisodeError(
            f"{path}: not a readable pickle ({type(error).__name__}: {str(error)[:200]}). Fix: the file is damaged or "
            "cut short; copy or record the episode again."
        ) from error
