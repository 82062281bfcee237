import base64
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from robotr1 import paths
from robotr1.policies import serve
from robotr1.policies.folders import PolicyError
from robotr1.policies.generate import complete
from robotr1.policies.load import load_policy

MISSING = "the extra `serve` is not installed (pip install -e '.[serve]')"


def picture(path):
    return {"url": "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()}


@pytest.fixture(scope="module")
def client(base):
    """An OpenAI client of a server that runs on the tiny policy in a process of its own."""
    openai = pytest.importorskip("openai", reason=MISSING)
    if not serve.is_serve_available():
        pytest.skip(MISSING)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "robotr1.policies.serve", str(base), "--port", str(port), "--device", "cpu"]
    command += ["--dtype", "float32"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for _ in range(600):
            with socket.socket() as trial:
                if trial.connect_ex(("localhost", port)) == 0:
                    break
            if server.poll() is not None:
                pytest.fail(f"the server stopped: {server.stdout.read()}")
            time.sleep(0.5)
        else:
            pytest.fail("the server did not open its port in five minutes")
        yield openai.OpenAI(base_url=f"http://localhost:{port}/v1", api_key="none", timeout=300, max_retries=0)
    finally:
        server.terminate()
        server.wait(timeout=30)


def ask(client, base, prompt, url):
    answer = client.chat.completions.create(
        model=str(base),
        messages=[
            {"role": "user", "content": [{"type": "image_url", "image_url": url}, {"type": "text", "text": prompt}]}
        ],
        temperature=0,
    )
    message = answer.choices[0].message
    return f"<think>{message.reasoning_content}</think> {message.content}", answer.usage.prompt_tokens


def test_a_chat_request_with_an_image_is_answered_as_complete_does(client, base, questions):
    want = complete(*load_policy(base), questions[:3], batch_size=1, max_completion_length=64)
    for question, text in zip(questions[:3], want, strict=True):
        said, tokens = ask(client, base, question.prompt, picture(question.image))
        assert "".join(said.split()) == "".join(text.split())  # the server takes the thought out of its tags
        assert tokens > 25  # a picture takes 25 tokens, which a server that drops it would not count


def test_the_image_counts(client, base, questions, tmp_path):
    """A picture of any size reaches the vision tower: the prompt is as long as its tokens say."""
    Image.new("RGB", (300, 200), (200, 30, 30)).save(tmp_path / "red.png")
    _, small = ask(client, base, questions[0].prompt, picture(questions[0].image))
    _, large = ask(client, base, questions[0].prompt, picture(tmp_path / "red.png"))
    processor = load_policy(base)[1]
    per_picture = [
        int(processor.image_processor(images=[Image.open(path)], return_tensors="np")["image_grid_thw"].prod()) // 4
        for path in (questions[0].image, tmp_path / "red.png")
    ]
    assert large - small == per_picture[1] - per_picture[0]


def test_a_folder_that_cannot_be_served_is_a_message_before_the_server_starts(base, tmp_path, capsys):
    (tmp_path / "adapter_config.json").write_text('{"base_model_name_or_path": "models/base"}')
    with pytest.raises(PolicyError, match="merge it first"):
        serve.check(tmp_path)
    shutil.copytree(base, tmp_path / "blind")
    (tmp_path / "blind/processor_config.json").unlink()
    with pytest.raises(PolicyError, match="blind"):
        serve.check(tmp_path / "blind")
    shutil.copytree(base, tmp_path / "wrapped")
    weights = load_file(base / "model.safetensors")
    save_file(
        {f"module.{name}": weight for name, weight in weights.items()},
        tmp_path / "wrapped/model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(PolicyError, match="All unexpected names begin with 'module.'"):
        serve.check(tmp_path / "wrapped")
    assert serve.main([]) == 2
    assert "usage" in capsys.readouterr().out
