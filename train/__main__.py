"""``python -m train --mix real:0.9,syn:0.1``: train the correspondence-guided generator."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

EXAMPLES = """\
examples:
  python -m train --mix real:0.9,syn:0.1
      recipe `mini`, on what `make quickstart` left in ./quickstart/data
  python -m train --mix real:0.9,syn:0.1 --recipe quickstart \\
      --data.real clips/ --data.syn scenes/ --out runs/first
  python -m train --mix real:0.9,syn:0.1 --recipe quickstart ... --out runs/first --resume
      goes on after the newest checkpoint, with the losses of a run that never stopped
  python -m train --mix real:1 --data.real clips/ optimizer.lr=1e-4 steps=2000
  python -m train --mix syn:1 --data.syn scenes/ model.control=inpainting
      a comparison of section 4.1: inpainting, aligned or camera instead of correspondence
  accelerate launch --config_file train/accelerate/fsdp2.yaml -m train --recipe paper ...
      several GPUs, see train/README.md

A mix is NAME:WEIGHT,...; a weight counts samples drawn. Each NAME is a folder: --data.NAME DIR,
else from the recipe, else ./quickstart/data/NAME. A folder holds scene files (*.h5), SpatialVID in
its own layout, or any videos (NAME.txt beside NAME.mp4 is its caption).

key=value changes one setting of the recipe; OUT/config.yaml lists them all. OUT then holds
config.yaml, log.jsonl (a line per step), pairs.jsonl (a line per sample: why it was accepted and
what was rejected before it), checkpoints/step_N/ and, at the end, model/.

exit status: 0 done, 2 bad input, 130 stopped by Ctrl-C after a checkpoint
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("train").setLevel(logging.INFO)
    try:
        arguments, folders = _parse(sys.argv[1:] if argv is None else list(argv))
        return _train(arguments, folders)
    except (ValueError, OSError) as error:
        sentence = " ".join(str(error).split())
        print(f"error: {sentence}", file=sys.stderr)
        return 2


def _train(arguments: argparse.Namespace, folders: dict[str, str]) -> int:
    # Imported late, so that --help and a mistyped mix answer at once.
    from scaling4d.data.mixture import Mix

    Mix.parse(arguments.mix)
    from train.config import resolve
    from train.run import train
    from train.stop import RunInterruptedError

    config = resolve(
        arguments.recipe, mix=arguments.mix, folders=folders, overrides=arguments.overrides
    )
    out = Path(arguments.out or f"output/train-{Path(arguments.recipe).stem}")
    try:
        model = train(config, out, resume=arguments.resume)
    except RunInterruptedError as stopped:
        print(f"{stopped}; go on with the same command and --resume", file=sys.stderr)
        return 130
    print(model)
    return 0


def _parse(argv: list[str]) -> tuple[argparse.Namespace, dict[str, str]]:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train the Correspondence Projector and VNVS blocks (and, for `mini`, the "
        "backbone) on pairs from real videos and synthetic scenes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--mix", required=True, metavar="NAME:WEIGHT,...", help="what to draw from")
    parser.add_argument(
        "--recipe", default="mini", help="mini (default), quickstart, paper, or a file"
    )
    parser.add_argument(
        "--data.NAME", dest="data", metavar="DIR", help="folder of the source NAME; once per source"
    )
    parser.add_argument("--out", help="output folder (default: output/train-RECIPE)")
    parser.add_argument(
        "--resume", action="store_true", help="go on with the run in the output folder"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="settings of the recipe")
    rest, folders = _take_folders(argv)
    return parser.parse_intermixed_args(rest), folders


def _take_folders(argv: list[str]) -> tuple[list[str], dict[str, str]]:
    """Split off the ``--data.NAME DIR`` and ``--data.NAME=DIR`` options."""
    rest: list[str] = []
    folders: dict[str, str] = {}
    waiting = iter(argv)
    for text in waiting:
        if not text.startswith("--data."):
            rest.append(text)
            continue
        option, equals, folder = text.partition("=")
        name = option.removeprefix("--data.")
        value = folder if equals else next(waiting, None)
        if not name or not value or value.startswith("--"):
            raise ValueError(f"{option} needs a folder: {option} DIR")
        if name in folders:
            raise ValueError(f"{option} is given twice")
        folders[name] = value
    return rest, folders


if __name__ == "__main__":
    sys.exit(main())
