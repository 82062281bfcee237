"""Command line for one run of the ablation: `python -m robotr1.ablation grpo 0` (run, seed)."""

import argparse
import sys

from robotr1 import settings
from robotr1.ablation import runs
from robotr1.policies.folders import PolicyError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m robotr1.ablation", description=__doc__)
    parser.add_argument("run", help="a name under runs in experiments/ablation/params.yaml")
    parser.add_argument("seed", type=int)
    options = parser.parse_args()
    try:
        runs.train_and_evaluate(options.run, options.seed)
    except (settings.SettingsError, PolicyError, ValueError) as error:
        print(f"{options.run}-{options.seed}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
