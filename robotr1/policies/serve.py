"""Serve an exported policy over HTTP as OpenAI's API, with transformers' own server.

    python -m robotr1.policies.serve exports/grpo-seed0 --port 8000

runs `transformers serve` with the same options and one difference. Without torchvision, transformers loads only
Qwen2.5-VL's tokenizer as its processor, and the server would answer without seeing any image. Here it loads
`ImageTextProcessor` instead. `pip install -e '.[serve]'` installs the server's requirements.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from transformers import AutoProcessor, Qwen2_5_VLConfig
from transformers.models.auto import processing_auto
from transformers.utils.import_utils import is_serve_available

from robotr1.policies.folders import PolicyError, base_of, resolve
from robotr1.policies.processor import ImageTextProcessor, load_processor
from robotr1.policies.weights import check_weights


def register_processor() -> None:
    """Make `AutoProcessor` load Qwen2.5-VL's image processor where torchvision is missing."""
    if importlib.util.find_spec("torchvision"):
        return
    by_name = processing_auto.processor_class_from_name

    def found(name: str) -> Any:
        return ImageTextProcessor if name == ImageTextProcessor.__name__ else by_name(name)

    processing_auto.processor_class_from_name = found
    AutoProcessor.register(Qwen2_5_VLConfig, ImageTextProcessor, exist_ok=True)


def check(folder: str | Path) -> str:
    """The absolute path of a folder to serve. Raises PolicyError for an adapter and for an incomplete model."""
    if base_of(folder) is not None:
        raise PolicyError(
            f"{folder}: is an adapter; merge it first: python -m robotr1.policies.export {folder} <output>"
        )
    load_processor(folder)
    check_weights(resolve(folder))
    return resolve(folder)


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        print("usage: python -m robotr1.policies.serve <exported folder> [options of `transformers serve`]")
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    if not is_serve_available():
        print("The server needs the extra `serve`: pip install -e '.[serve]'", file=sys.stderr)
        return 1
    try:
        folder = check(arguments[0])
    except PolicyError as error:
        print(error, file=sys.stderr)
        return 1
    register_processor()
    from transformers.cli.transformers import app

    print(f"serving {folder}; requests name it as their model, or none", flush=True)
    app(["serve", folder, *arguments[1:]])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
