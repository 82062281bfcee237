"""Does the answer hang on the written thought? `python -m robotr1.evaluation.faithfulness.run grpo-seed0`

`consistency` asks whether thought and letter agree; they may both come from the image and agree without one causing
the other. Here the policy answers anew behind a thought that is given to it: its own (a control), the first half of it,
none, and the one that it wrote about another question of the same type. A policy that reasons loses its way without
the thought, and behind a borrowed one it takes what that thought speaks for. The paper does not ask; cutting a thought
short and taking the likeliest answer is Lanham et al.'s way ("Measuring faithfulness in chain-of-thought reasoning",
2023).
"""

import argparse
from collections.abc import Sequence
from os.path import commonprefix

import joblib
import numpy as np
import torch
from transformers import PreTrainedTokenizerBase, ProcessorMixin

from robotr1 import paths
from robotr1.evaluation.completions import has_image
from robotr1.evaluation.faithfulness.results import Probed, summarize
from robotr1.evaluation.multiple_choice.run import read_questions
from robotr1.evaluation.multiple_choice.scoring import evaluate
from robotr1.policies.generate import complete, generation_config
from robotr1.policies.image_cache import encode_images_once, prepare_images_once
from robotr1.policies.inputs import batch_inputs
from robotr1.policies.load import load_policy
from robotr1.questions.answers import thought
from robotr1.questions.prompts import LETTERS, completion_text
from robotr1.questions.thoughts import letters_written
from robotr1.records import Question
from robotr1.settings import RunBenchmarks

SPLITS = ("test_in", "test_out")


def begin(reasoning: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """A completion with this thought, up to the token that holds its letter.

    The cut must lie between tokens as the policy writes them: some tokenizers have one token for "<answer> " or " [[".
    """
    return tokenizer.decode(commonprefix(_completions(reasoning, tokenizer)[:2]))


def letter_tokens(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """For each of LETTERS the token that comes behind what `begin` gives."""
    rows = _completions("", tokenizer)
    place = len(commonprefix(rows[:2]))
    return [row[place] for row in rows]


def _completions(reasoning: str, tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    return [tokenizer(completion_text(reasoning, letter))["input_ids"] for letter in LETTERS]


def likeliest_letters(
    model: torch.nn.Module,
    processor: ProcessorMixin,
    questions: Sequence[Question],
    begun: Sequence[str],
    batch_size: int,
) -> list[str]:
    """Of the letters of each question's options the one likeliest to come next behind a beginning from `begin`.

    Whatever else the policy would rather write there: behind a broken thought it may begin to think again.
    """
    tokens, letters = letter_tokens(processor.tokenizer), []
    config = generation_config(model, processor, 1, temperature=0.0)
    config.return_dict_in_generate = config.output_logits = True
    with torch.inference_mode(), encode_images_once(model), prepare_images_once(processor):
        for start in range(0, len(questions), batch_size):
            rows = slice(start, start + batch_size)
            inputs = batch_inputs(processor, questions[rows], begun[rows]).to(model.device)
            out = model.generate(**inputs, generation_config=config).logits[0]
            for question, scores in zip(questions[rows], out[:, tokens], strict=True):
                letters.append(LETTERS[int(scores[: len(question.options)].argmax())])
    return letters


def borrow(questions: Sequence[Question], thoughts: Sequence[str], seed: int) -> list[str]:
    """For each question the thought about another one of its split and type that speaks for another option than its
    own thought.

    Empty where there is none. Drawn by `seed`.
    """
    rng = np.random.default_rng(seed)
    borrowed = []
    for asked, own in zip(questions, thoughts, strict=True):
        meant = letters_written(asked.type, asked.options, own)
        alike = [i for i, other in enumerate(questions) if (other.split, other.type) == (asked.split, asked.type)]
        found = ""
        for other in rng.permutation(alike):
            speaks = letters_written(asked.type, asked.options, thoughts[other])
            if speaks and not set(speaks) & set(meant or ""):
                found = thoughts[other]
                break
        borrowed.append(found)
    return borrowed


def probe(
    policy: str,
    model: torch.nn.Module,
    processor: ProcessorMixin,
    questions: Sequence[Question],
    *,
    batch_size: int,
    max_completion_length: int,
    seed: int = 0,
) -> list[Probed]:
    """Answers behind four thoughts, a row for each thought and question.

    Questions whose first answer has no thought or no letter are left out, and for a borrowed thought those that nobody
    can lend to.
    """
    ask = {"batch_size": batch_size, "max_completion_length": max_completion_length}
    first = evaluate(policy, questions, complete(model, processor, questions, **ask))
    thinking = [i for i, answered in enumerate(first) if answered.letter and thought(answered.completion)]
    asked, letters = [questions[i] for i in thinking], [first[i].letter for i in thinking]
    own = [thought(first[i].completion) for i in thinking]
    half = [" ".join(words[: len(words) // 2]) for words in map(str.split, own)]
    given = {"own": own, "half": half, "none": [""] * len(own), "borrowed": borrow(asked, own, seed)}
    rows = []
    for name, thoughts in given.items():
        here = [i for i, reasoning in enumerate(thoughts) if reasoning or name != "borrowed"]
        these, begun = [asked[i] for i in here], [begin(thoughts[i], processor.tokenizer) for i in here]
        written = evaluate(policy, these, complete(model, processor, these, **ask, prefixes=begun))
        likeliest = likeliest_letters(model, processor, these, begun, batch_size)
        for i, answered, letter in zip(here, written, likeliest, strict=True):
            rows.append(
                Probed(
                    id=answered.id,
                    policy=policy,
                    split=answered.split,
                    type=answered.type,
                    thought=name,
                    completion=answered.completion,
                    read=answered.letter is not None,
                    letter=letter,
                    own=letters[i],
                    speaks=letters_written(answered.type, asked[i].options, thoughts[i]),
                    answer=answered.answer,
                )
            )
    return rows


def probe_policy(policy: str, questions: Sequence[Question], settings: RunBenchmarks) -> list[Probed]:
    """`probe` of the policy in `models/<policy>`, greedily, on those questions whose image is there.

    It takes less than a minute of the exam's and is not kept batch by batch: a stage that was stopped asks it anew.
    Raises PolicyError for a folder without a policy.
    """
    torch.set_num_threads(settings.threads)
    return probe(
        policy,
        *load_policy(paths.MODELS / policy, quantization=settings.quantization),
        [question for question in questions if has_image(question.image)],
        batch_size=settings.batch_size,
        max_completion_length=settings.max_completion_length,
        seed=settings.seed,
    )


def probe_all(policies: Sequence[str], questions: Sequence[Question], settings: RunBenchmarks) -> list[Probed]:
    """`probe_policy` of each policy in turn, `settings.workers` of them at a time in processes of their own."""
    job = joblib.delayed(probe_policy)
    each = joblib.Parallel(n_jobs=settings.workers)(job(policy, questions, settings) for policy in policies)
    return [row for rows in each for row in rows]


def read_probed_questions(most: int) -> list[Question]:
    """`most` questions of each test split, drawn evenly; none with 0. Raises RecordError for a broken file."""
    return read_questions(splits=SPLITS, most=most) if most else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("policy", help="a folder of models/")
    parser.add_argument("--questions", type=int, default=300, help="drawn evenly from test_in, and as many of test_out")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-completion-length", type=int, default=96)
    arguments = parser.parse_args()
    probed = probe(
        arguments.policy,
        *load_policy(paths.MODELS / arguments.policy),
        read_probed_questions(arguments.questions),
        batch_size=arguments.batch_size,
        max_completion_length=arguments.max_completion_length,
    )
    table = summarize(probed).query("type == 'all'").drop(columns=["policy", "type"])
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
