import json
import shutil

import pytest
from transformers import ProcessorMixin

from robotr1.policies.folders import PolicyError
from robotr1.policies.processor import load_processor


def test_the_processor_pads_on_the_left_and_keeps_its_class_name(base, tmp_path):
    processor = load_processor(base)
    assert isinstance(processor, ProcessorMixin)
    assert processor.tokenizer.padding_side == "left"
    processor.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "processor_config.json").read_text())["processor_class"] == "Qwen2_5_VLProcessor"


@pytest.mark.parametrize(
    ("removed", "wanted"),
    [
        (["processor_config.json", "preprocessor_config.json"], "processor_config.json"),
        (["tokenizer.json", "tokenizer_config.json"], "tokenizer.json"),
    ],
)
def test_an_incomplete_folder_names_the_missing_file(base, tmp_path, removed, wanted):
    folder = tmp_path / "broken"
    shutil.copytree(base, folder)
    for name in removed:
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(PolicyError, match=wanted) as error:
        load_processor(folder)
    assert str(folder) in str(error.value)
