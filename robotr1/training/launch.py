"""Train from params.yaml without a notebook, for `accelerate launch` with several processes or machines.

    accelerate launch --config_file conf/accelerate/data_parallel.yaml -m robotr1.training.launch train_grpo

It reads the same settings, questions and base as the stage of that name, and writes the same folder in models/.
"""

import argparse
import dataclasses
import sys

from robotr1.settings import load_settings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    stages = parser.add_subparsers(dest="stage", required=True)
    reinforce = stages.add_parser("train_grpo")
    reinforce.add_argument("--algorithm", choices=["grpo", "rloo", "reinforce_plus_plus"])
    reinforce.add_argument("--seed", type=int)
    imitate = stages.add_parser("finetune_sft")
    imitate.add_argument("--form", choices=["direct", "cot", "cold_start", "planning"])
    imitate.add_argument("--seed", type=int)
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    stage = given.pop("stage")
    try:
        settings = dataclasses.replace(load_settings()[stage], **given)
        if stage == "train_grpo":
            from robotr1.training.grpo.inputs import read_questions
            from robotr1.training.grpo.trainer import train

            train(settings, read_questions(settings))
        else:
            from robotr1.training.sft import finetune, read_examples

            finetune(settings, [example for example in read_examples(settings.form) if example.split == "train"])
    except (ValueError, OSError, MemoryError) as error:  # settings, records, policies, a full disk, memory
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
