"""numba's decorator with a type, and a cache of machine code that knows which sources it was made from."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

Function = TypeVar("Function", bound="Callable[..., Any]")


def cache_folder() -> Path:
    """Where this version's machine code is kept: beside the sources, else (installed read-only) in the person's own cache.

    numba looks at the file of a function only, not at those it calls; the folder's name is a digest of them all. Never a folder that
    somebody else may have made: what is read from it is run.
    """
    here = Path(__file__).parent
    sources = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(here.glob("*.py")))).hexdigest()[:16]
    own = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "fabrique"
    for folder in (here / "__pycache__", own):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder / sources
    return Path(tempfile.mkdtemp(prefix="fabrique-"))


FOLDER = cache_folder()
IS_READY = FOLDER.is_dir()
"""Whether an earlier run has compiled; else the first series waits some fifteen seconds."""
setattr(numba.config, "CACHE_DIR", str(FOLDER))  # noqa: B010 - numba makes its options at run time


def compiled(function: Function) -> Function:
    """Machine code for a function over arrays and numbers, kept on disk between runs; the GIL is released while it works."""
    return cast("Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def compiled_parallel(function: Function) -> Function:
    """The same, with `numba.prange` over all cores."""
    return cast("Function", numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")(function))
