"""Probe one policy and print the shares: `python -m robotr1.evaluation.faithfulness grpo-seed0`."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from robotr1.evaluation.faithfulness.results import summarize
from robotr1.evaluation.faithfulness.run import probe_policy, read_probed_questions
from robotr1.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m robotr1.evaluation.faithfulness", description=__doc__)
    parser.add_argument("policy", help="a folder of models/")
    parser.add_argument("--questions", type=int, default=300, help="drawn evenly from test_in, and as many of test_out")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-completion-length", type=int, default=96)
    options = parser.parse_args(arguments)
    settings = replace(
        load_settings()["run_benchmarks"],
        batch_size=options.batch_size,
        max_completion_length=options.max_completion_length,
    )
    rows = probe_policy(options.policy, read_probed_questions(options.questions), settings)
    table = summarize(rows).query("type == 'all'").drop(columns=["policy", "type"])
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
