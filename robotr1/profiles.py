"""Compose conf/ into params.yaml for one profile: `python -m robotr1.profiles [ci|laptop|gpu|paper]`.

`dvc exp run -S profile=ci` composes with the same function first; `dvc repro` uses params.yaml as it is.
"""

import argparse
import sys
from pathlib import Path

from robotr1 import paths, settings

CONF = paths.ROOT / "conf"


def profiles() -> list[str]:
    """List the profiles in conf/profile/."""
    return sorted(path.stem for path in (CONF / "profile").glob("*.yaml"))


def compose(profile: str, output: Path = paths.PARAMS, overrides: list[str] | None = None) -> None:
    """Write `output` as Hydra composes it for `profile`, byte for byte as DVC does.

    Raises SettingsError if the composed values are not valid.
    """
    from dvc.utils.hydra import compose_and_dump

    if profile not in profiles():
        raise settings.SettingsError(f"unknown profile {profile!r}; the profiles are {', '.join(profiles())}")
    with paths.atomic_write(output) as temporary:
        compose_and_dump(str(temporary), str(CONF), None, "config", "", [f"profile={profile}", *(overrides or [])])
        settings.load_settings(temporary)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("profile", nargs="?", default="laptop", choices=profiles())
    profile = parser.parse_args().profile
    try:
        compose(profile)
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"params.yaml now holds profile {profile}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
