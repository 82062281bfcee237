"""Pickles of every protocol, and files that are no recording."""

import contextlib
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from robotr1.demos.layout import EpisodeError
from robotr1.demos.unpickle import load_pickle


def load(data, folder):
    path = folder / "low_dim_obs.pkl"
    path.write_bytes(data)
    return load_pickle(path)


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(7.0),
        np.eye(4)[::-1],
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(24.0).reshape(2, 3, 4).transpose(1, 2, 0),
        np.zeros((0, 3)),
        np.array(2.5),
        np.arange(8.0)[::2],
    ],
    ids=["vector", "reversed", "big-endian", "by column", "exchanged axes", "empty", "no axes", "every second"],
)
def test_arrays_of_every_protocol_come_back(tmp_path, array, protocol):
    found = load(pickle.dumps([array, np.zeros((2, 0)), np.float64(1.5)], protocol=protocol), tmp_path)
    np.testing.assert_array_equal(found[0], array)
    assert found[1].shape == (2, 0)
    assert found[2] == 1.5


@given(arrays(np.float64, array_shapes(min_dims=0, max_dims=3)), st.sampled_from([3, 4, 5]))
def test_any_array_comes_back(tmp_path_factory, array, protocol):
    found = load(pickle.dumps({"a": array}, protocol=protocol), tmp_path_factory.getbasetemp())
    np.testing.assert_array_equal(found["a"], array)


def test_read_only_arrays_of_protocol_5_come_back(tmp_path):
    array = np.arange(3.0)
    array.flags.writeable = False
    found = load(pickle.dumps(array, protocol=5), tmp_path)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("change", [lambda data: data.replace(b"K\x07\x85", b"K\x09\x85"), lambda data: data[:-30]])
def test_arrays_of_another_size_than_their_data_are_refused(tmp_path, change):
    data = pickle.dumps(np.arange(7.0), protocol=5)
    assert change(data) != data
    with pytest.raises(EpisodeError, match="not a readable pickle"):
        load(change(data), tmp_path)


def test_a_byte_array_that_claims_a_terabyte_takes_no_memory(tmp_path):
    tracemalloc.start()
    try:
        with pytest.raises(EpisodeError, match="cut short"):
            load(b"\x80\x05\x96\x00\x00\x00\x00\x00\x01\x00\x00abc.", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS pointer.*git lfs pull"),
        (b"../../.git/annex/objects/F2/x/SHA256E-s1--low_dim_obs.pkl", "git annex get"),
        (b"/annex/objects/SHA256E-s1--low_dim_obs.pkl\n", "git annex get"),
        (b"<html><body>404</body></html>", "a web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "a storage server's error"),
        (b"", "empty"),
        (bytes(100), "filled with zeros"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\x93NUMPY\x01\0", "a NumPy array"),
    ],
)
def test_other_files_are_called_what_they_are(tmp_path, data, message):
    with pytest.raises(EpisodeError, match=f"low_dim_obs.pkl: not a readable pickle: it is .*{message}"):
        load(data, tmp_path)


@pytest.mark.parametrize("name", ["BimanualObservation", "UnimanualObservation"])
def test_a_forks_class_is_named_with_what_to_record(tmp_path, name):
    with pytest.raises(EpisodeError, match=rf"rlbench\.backend\.observation\.{name}.*a fork.*record one arm") as error:
        load(b"\x80\x03crlbench.backend.observation\n" + name.encode() + b"\n.", tmp_path)
    assert "could run code" not in str(error.value)


def test_a_refused_opcode_is_named(tmp_path):
    with pytest.raises(EpisodeError, match="refused, because the pickle uses the opcode EMPTY_SET"):
        load(pickle.dumps({"a"}, protocol=4), tmp_path)


def test_a_folder_or_an_unreadable_file_is_refused(tmp_path):
    with pytest.raises(EpisodeError, match="Is a directory"):
        load_pickle(tmp_path)


@given(st.binary(max_size=60), st.integers(0, 400))
def test_a_damaged_pickle_of_protocol_5_is_an_array_or_refused(tmp_path_factory, junk, place):
    data = bytearray(pickle.dumps([np.arange(20.0), "text", 3], protocol=5))
    data[place : place + len(junk)] = junk
    with contextlib.suppress(EpisodeError):
        load(bytes(data), tmp_path_factory.getbasetemp())
