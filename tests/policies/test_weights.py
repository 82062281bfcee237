"""Weight files that are damaged, incomplete or of another model. Each variant is one that people had or could have."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from robotr1.policies.folders import PolicyError
from robotr1.policies.load import load_model, load_policy
from robotr1.policies.processor import load_processor
from robotr1.policies.weights import check_files, check_weights

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4f5e\nsize 7200000\n"
HALVES = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


@pytest.fixture
def folder(base, tmp_path):
    return shutil.copytree(base, tmp_path / "broken")


def rewrite(folder, change):
    """Save the weights of `folder` again after `change`, a function of the state dict."""
    weights = change(load_file(folder / "model.safetensors"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def without(*parts):
    return lambda weights: {key: value for key, value in weights.items() if not any(part in key for part in parts)}


def renamed(old, new):
    return lambda weights: {key.replace(old, new, 1): value for key, value in weights.items()}


def prefixed(prefix):
    return lambda weights: {prefix + key: value for key, value in weights.items()}


def halved(weights):
    return dict(list(weights.items())[: len(weights) // 2])


def configure(folder, change):
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


def shard(folder, left_out=0):
    """Split the weights into two files with an index; the second lacks `left_out` of its tensors."""
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    half = len(names) // 2
    parts = names[:half], names[half : len(names) - left_out]
    for file, part in zip(HALVES, parts):
        save_file({name: weights[name] for name in part}, folder / file, metadata={"format": "pt"})
    places = {name: HALVES[number >= half] for number, name in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    (folder / "model.safetensors").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (prefixed("module."), r"missing \(lm_head.weight.*unexpected \(module\..*begin with 'module.'.*remove that"),
        (prefixed("_orig_mod."), r"unexpected \(_orig_mod\..*begin with '_orig_mod.'"),
        (prefixed("base_model.model."), r"unexpected \(base_model\.model\..*begin with 'base_model.model.'"),
        (prefixed("policy."), r"missing .*unexpected .*policy\."),
        (renamed("layers", "blocks"), r"missing \(.*layers\.0.*unexpected \(.*blocks\.0"),
        (without("layers.1.mlp.up_proj"), r"1 missing \(model.language_model.layers.1.mlp.up_proj.weight\)\. Copy"),
        (without("layers.3."), r"12 missing \(model.language_model.layers.3"),
        (without("visual."), r"missing \(model.visual.*The vision tower is missing"),
        (without("visual.merger"), r"missing \(model.visual.merger.*vision tower"),
        (without("embed_tokens"), r"2 missing \(lm_head.weight, model.language_model.embed_tokens.weight\)"),
        (halved, r"missing \("),
        (lambda weights: {}, r"missing \("),
        (lambda weights: weights | {"value_head.weight": torch.zeros(2)}, r"1 unexpected \(value_head.weight\)\. Copy"),
        (lambda weights: weights | {"lora_A.weight": torch.zeros(2)}, r"1 unexpected \(lora_A.weight\)"),
        (
            lambda weights: {k: v[:-1].clone() if "layers.1.mlp.up" in k else v for k, v in weights.items()},
            r"1 of another shape \(model.language_model.layers.1.mlp.up_proj.weight \[447, 160\] instead of \[448, 160",
        ),
    ],
)
def test_missing_unexpected_and_misshaped_weights_are_named(folder, change, message):
    rewrite(folder, change)
    with pytest.raises(PolicyError, match=message) as error:
        load_model(folder)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["text_config"].update(num_hidden_layers=6, layer_types=["full_attention"] * 6), "24 missing"),
        (lambda c: c["text_config"].update(num_hidden_layers=2, layer_types=["full_attention"] * 2), "24 unexpected"),
        (lambda c: c["text_config"].update(vocab_size=10), "of another shape"),
        (lambda c: c["vision_config"].update(depth=2), r"unexpected \(model.visual.blocks.2"),
        (lambda c: c.update(model_type="qwen2"), "no usable model"),
        (lambda c: c.pop("model_type"), "no usable model"),
    ],
)
def test_a_config_of_another_model_is_an_error(folder, change, message):
    configure(folder, change)
    with pytest.raises(PolicyError, match=message):
        load_model(folder)


def untie(config):
    config["tie_word_embeddings"] = config["text_config"]["tie_word_embeddings"] = False


def test_a_wrong_tie_flag_is_an_error_in_both_directions(folder, base):
    configure(folder, untie)
    with pytest.raises(PolicyError, match=r"1 missing \(lm_head.weight\)\. Add .*tie_word_embeddings to true"):
        load_model(folder)
    rewrite(folder, lambda weights: weights | {"lm_head.weight": weights["model.embed_tokens.weight"] * 2})
    load_model(folder)
    shutil.copy(base / "config.json", folder)
    with pytest.raises(PolicyError, match="ties lm_head.weight to the embeddings.*tie_word_embeddings to false"):
        load_model(folder)
    rewrite(folder, lambda weights: weights | {"lm_head.weight": weights["model.embed_tokens.weight"].clone()})
    load_model(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named(folder, value):
    rewrite(folder, lambda weights: {k: v * value if "layers.1.mlp.up" in k else v for k, v in weights.items()})
    with pytest.raises(PolicyError, match="layers.1.mlp.up_proj.weight has values that are no numbers"):
        load_model(folder)


def test_nf4_checks_names_and_shapes_too(folder):
    rewrite(folder, prefixed("module."))
    with pytest.raises(PolicyError, match=r"unexpected \(module\."):
        load_model(folder, quantization="nf4")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "generation_config.json"])
def test_a_git_lfs_pointer_is_named_with_its_fix(folder, name):
    (folder / name).write_text(POINTER)
    with pytest.raises(PolicyError, match=f"broken/{name}: a Git LFS pointer.*git lfs pull"):
        load_policy(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: content[:100],
        lambda content: content[:8],
        lambda content: b"",
        lambda content: content + b"more",
        lambda content: b"<html>404: Not Found</html>" * 9,
        lambda content: b"\0" * len(content),
        lambda content: b"PK\x03\x04" + content,
        lambda content: b"\xff" * 8 + content[8:],
    ],
    ids=["half", "one-byte", "header", "length", "empty", "longer", "html", "zeros", "zip", "huge-header"],
)
def test_a_damaged_weight_file_is_named(folder, damage):
    file = folder / "model.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(PolicyError, match="broken/model.safetensors: truncated or damaged.*Copy or download"):
        load_model(folder)


def test_whole_shards_load_and_equal_the_single_file(folder, base):
    shard(folder)
    plain, sharded = load_model(base).state_dict(), load_model(folder).state_dict()
    assert all(torch.equal(sharded[name], weight) for name, weight in plain.items())


def test_a_missing_truncated_or_half_shard_is_named(folder):
    shard(folder, left_out=5)
    with pytest.raises(PolicyError, match=r"5 missing \(model"):
        load_model(folder)
    content = (folder / HALVES[1]).read_bytes()
    (folder / HALVES[1]).write_bytes(content[:5000])
    with pytest.raises(PolicyError, match=f"{HALVES[1]}: truncated or damaged"):
        load_model(folder)
    (folder / HALVES[1]).write_text(POINTER)
    with pytest.raises(PolicyError, match=f"{HALVES[1]}: a Git LFS pointer"):
        load_model(folder)
    (folder / HALVES[1]).unlink()
    with pytest.raises(PolicyError, match=f"{HALVES[1]}: this shard of model.safetensors.index.json is missing"):
        load_model(folder)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"weight_map": []}', "null"])
def test_a_broken_index_is_named(folder, content):
    shard(folder)
    (folder / "model.safetensors.index.json").write_text(content)
    with pytest.raises(PolicyError, match="model.safetensors.index.json: no index of shards"):
        check_files(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"model"'])
def test_a_broken_config_is_an_error(folder, content):
    (folder / "config.json").write_text(content)
    with pytest.raises(PolicyError, match="no usable model"):
        check_weights(str(folder))


def test_pickled_weights_load_and_a_truncated_pickle_is_named(folder):
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    load_model(folder)
    content = (folder / "pytorch_model.bin").read_bytes()
    (folder / "pytorch_model.bin").write_bytes(content[: len(content) // 2])
    with pytest.raises(PolicyError, match="pytorch_model.bin: truncated"):
        load_model(folder)


def test_a_broken_link_is_named(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("../blobs/4f5e")
    with pytest.raises(PolicyError, match="model.safetensors: a broken link to ../blobs/4f5e"):
        check_files(folder)


def test_the_weights_of_older_versions_are_read(folder, base):
    """Hub checkpoints name the vision tower `visual.` and the language model `model.`; transformers renames them."""
    rewrite(folder, renamed("model.visual.", "visual."))
    plain, older = load_model(base).state_dict(), load_model(folder).state_dict()
    assert all(torch.equal(older[name], weight) for name, weight in plain.items())


def test_a_model_that_is_stored_quantized_loads_and_its_names_are_checked(base, tmp_path):
    folder = tmp_path / "quantized"
    load_model(base, quantization="nf4").save_pretrained(folder)
    load_processor(base).save_pretrained(folder)
    layer = load_policy(folder)[0].model.language_model.layers[0].mlp.up_proj
    assert type(layer).__name__ == "Linear4bit"
    rewrite(folder, without("visual.merger"))
    with pytest.raises(PolicyError, match=r"missing \(model.visual.merger"):
        load_policy(folder)
