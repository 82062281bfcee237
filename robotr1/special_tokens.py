"""Find special tokens of tokenizers and chat templates in text that goes into prompts.

In a prompt such a token is not read as text: `<|image_pad|>` is a second image that does not exist, `<|im_end|>` ends
the user's turn. Text from outside is therefore refused where it enters. `policies.inputs` checks prompts again with the
special tokens of the policy's own tokenizer.
"""

import re

_SPECIAL = re.compile(
    r"<[|\uff5c][^<>\n]{0,80}[|\uff5c]>"  # Qwen, Llama 3, Phi: <|im_end|>; DeepSeek: the same with full-width bars
    r"|</?(?:s|bos|eos|pad|unk|image|img|video|tool_call|tool_response|start_of_turn|end_of_turn|start_of_image|mask)>"
    r"|<IMG_CONTEXT>|\[/?INST\]|\[IMG\]|<<?/?SYS>>?"
)


def special_token(text: str) -> str | None:
    """The first special token in a text, or None. Takes time linear in the text."""
    match = _SPECIAL.search(text)
    return match.group() if match else None


def refusal(token: str) -> str:
    """What is wrong with a text that contains `token`, and the fix."""
    return f"contains {token!r}, a special token of tokenizers and chat templates; remove it from the text"
