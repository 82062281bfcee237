"""Reading RLBench's pickles without running whatever else a pickle may hold.

A pickle can call any function that it names, so a downloaded recording is a program. Loading here admits only
the globals that RLBench's own recordings refer to; every other one stops the load before it is looked up.
RLBench need not be installed: its two classes are replaced by empty ones that carry the recorded attributes.
"""

import pickle
from pathlib import Path

import numpy as np

from robotr1.demos.layout import EpisodeError

_multiarray = getattr(np, "_core", None) or np.core  # NumPy 2 renamed the module

NUMPY_GLOBALS = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _multiarray.multiarray._reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _multiarray.multiarray._reconstruct,
    ("numpy.core.multiarray", "scalar"): _multiarray.multiarray.scalar,
    ("numpy._core.multiarray", "scalar"): _multiarray.multiarray.scalar,
}
RECORDED_CLASSES = {
    ("rlbench.demo", "Demo"),
    ("rlbench.backend.observation", "Observation"),
    ("amsolver.demo", "Demo"),  # EmbodiedBench's fork of RLBench
    ("amsolver.backend.observation", "Observation"),
}


class _AllowListUnpickler(pickle.Unpickler):
    def __init__(self, file, path: Path):
        super().__init__(file)
        self._path = path
        # Fresh classes for each load, so that no file can leave anything behind on them.
        self._classes = {key: type(key[1], (), {}) for key in RECORDED_CLASSES}

    def find_class(self, module: str, name: str):
        key = (module, name)
        found = self._classes.get(key) or NUMPY_GLOBALS.get(key)
        if found is None:
            raise EpisodeError(
                f"{self._path}: refused, because the pickle asks for {module}.{name}, which no RLBench recording "
                "needs and which could run code on this machine. Fix: get the recording from a source you "
                "trust and record it again with RLBench 1.1 or 1.2."
            )
        return found

    def persistent_load(self, pid):
        raise EpisodeError(f"{self._path}: refused, because the pickle refers to data outside itself")


def load_pickle(path: str | Path):
    """The object in an RLBench pickle, with RLBench's classes as plain attribute holders.

    Raises EpisodeError for a missing or damaged file and for a pickle that names any global outside
    NUMPY_GLOBALS and RECORDED_CLASSES.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _AllowListUnpickler(file, path).load()
    except EpisodeError:
        raise
    except FileNotFoundError:
        raise EpisodeError(f"{path}: file not found. Fix: copy the whole episode folder again.") from None
    except Exception as error:  # a damaged pickle can fail in any opcode, with any exception
        raise EpisodeError(
            f"{path}: not a readable pickle ({type(error).__name__}: {error}). Fix: the file is damaged or cut "
            "short; copy or record the episode again."
        ) from error
