import json
import shutil

import pytest

from robotr1.policies.folders import PolicyError, base_of, digest, resolve


@pytest.mark.parametrize("name", ["models/nowhere", "./nowhere", "weights/nowhere", "checkpoints/nowhere"])
def test_a_missing_local_folder_is_an_error_and_no_hub_id(name):
    with pytest.raises(PolicyError, match=f"{name}: no such policy folder"):
        resolve(name)


def test_names_resolve_from_the_repository_root_and_hub_ids_stay(tmp_path):
    assert resolve("weights/tiny").endswith("/weights/tiny")
    assert resolve(tmp_path) == str(tmp_path.resolve())
    assert resolve("Qwen/Qwen2.5-VL-3B-Instruct") == "Qwen/Qwen2.5-VL-3B-Instruct"
    with pytest.raises(PolicyError, match="no such policy folder"):
        resolve(tmp_path / "nowhere")


def test_an_adapter_names_its_base(base, tmp_path):
    assert base_of(base) is None
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "models/base"}))
    assert base_of(tmp_path) == "models/base"


@pytest.mark.parametrize("config", ["{}", "{", '{"base_model_name": "models/base"}'])
def test_an_adapter_without_a_base_is_an_error(tmp_path, config):
    (tmp_path / "adapter_config.json").write_text(config)
    with pytest.raises(PolicyError, match="base_model_name_or_path"):
        base_of(tmp_path)


def test_the_digest_identifies_a_base_by_its_weights_not_its_name(base, tmp_path):
    shutil.copytree(base, tmp_path / "copy")
    assert digest(tmp_path / "copy") == digest(base)
    weights = tmp_path / "copy/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert digest(tmp_path / "copy") != digest(base)
    assert digest("some/hub-id") is None
