"""Load a policy's processor (tokenizer and image processor), with or without torchvision."""

import importlib.util
from pathlib import Path
from typing import Any

from transformers import AutoProcessor, ProcessorMixin
from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor

from robotr1.policies.folders import PolicyError, resolve
from robotr1.policies.weights import LOADING_ERRORS, check_files


class ImageTextProcessor(Qwen2_5_VLProcessor):
    """Qwen2.5-VL's processor without its video part, which needs torchvision.

    `ProcessorMixin` reads a processor's parts from the signature of `__init__`, so leaving out the video processor is
    enough. The class saves itself under its parent's name, so that `AutoProcessor` finds it.
    """

    def __init__(self, image_processor=None, tokenizer=None, chat_template=None, **kwargs):
        self.video_processor = None
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


ImageTextProcessor.__name__ = Qwen2_5_VLProcessor.__name__


def load_processor(folder: str | Path, **options: Any) -> ProcessorMixin:
    """Load the processor of a policy folder or hub id, with padding on the left.

    Raises PolicyError where the folder has no usable processor.
    """
    name = resolve(folder)
    if Path(name).is_dir():
        check_files(Path(name))
    cls = AutoProcessor if importlib.util.find_spec("torchvision") else ImageTextProcessor
    try:
        processor = cls.from_pretrained(name, **options)
    except LOADING_ERRORS as error:
        raise PolicyError(
            f"{folder}: no usable processor ({error}). A policy folder needs tokenizer.json, tokenizer_config.json and "
            "preprocessor_config.json or processor_config.json; copy them from its base model."
        ) from error
    if not isinstance(processor, ProcessorMixin) or getattr(processor, "image_processor", None) is None:
        raise PolicyError(f"{folder}: has a tokenizer but no image processor; copy it from the base model.")
    if processor.image_token not in processor.tokenizer.get_vocab():  # a missing tokenizer.json gives an empty one
        raise PolicyError(f"{folder}: no tokenizer.json with {processor.image_token}; copy it from the base model.")
    processor.tokenizer.padding_side = "left"
    return processor
