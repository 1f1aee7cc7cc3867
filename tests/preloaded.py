"""What a process imports, and computes once, before it is forked for each command of a test."""

import gc
from pathlib import Path
from tempfile import TemporaryDirectory

from feeds.cli import main

_CATALOGUE = Path(__file__).parent / "catalogues" / "every-field.yaml"
with TemporaryDirectory() as _folder:
    _common = ["--quiet", "--catalogue", str(_CATALOGUE), "--state", f"{_folder}/state"]
    main(["check", *_common])
    main(["export", f"{_folder}/out", *_common])
# Otherwise the collector of each process copies all that is here to look at it.
gc.collect()
gc.freeze()
