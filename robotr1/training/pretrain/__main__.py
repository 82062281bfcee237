"""Train the tiny base: `python -m robotr1.training.pretrain` (DVC's frozen stage `pretrain_tiny`, `make pretrain`)."""

import argparse
from pathlib import Path

from robotr1.training.pretrain.recipe import STAGES, Recipe, pretrain


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m robotr1.training.pretrain", description="Train the tiny base.")
    parser.add_argument("--workers", type=int, default=2, help="processes that render snapshots")
    parser.add_argument("--threads", type=int, default=2, help="threads that train")
    parser.add_argument("--only", choices=STAGES, nargs="+", default=STAGES, help="run these stages and stop")
    parser.add_argument("--tower", type=Path, help="folder of vision weights that `see` starts from")
    options = parser.parse_args()
    pretrain(Recipe(), options.workers, options.threads, tuple(options.only), options.tower)


if __name__ == "__main__":
    main()
