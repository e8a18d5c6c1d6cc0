"""numba's decorator with a type, and a cache of machine code that knows which sources it was made from."""

from __future__ import annotations

import getpass
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
    """Where this version's machine code is kept: beside the sources, else (installed read-only) in the temporary folder.

    numba looks at the file of a function only, not at those it calls; the folder's name is a digest of them all.
    """
    here = Path(__file__).parent
    sources = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(here.glob("*.py")))).hexdigest()[:16]
    beside = here / "__pycache__"
    try:
        beside.mkdir(exist_ok=True)
        if os.access(beside, os.W_OK):
            return beside / sources
    except OSError:
        pass
    return Path(tempfile.gettempdir()) / f"fabrique-{getpass.getuser()}-{sources}"


setattr(numba.config, "CACHE_DIR", str(cache_folder()))  # noqa: B010 - numba makes its options at run time


def compiled(function: Function) -> Function:
    """Machine code for a function over arrays and numbers, kept on disk between runs; the GIL is released while it works."""
    return cast("Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def compiled_parallel(function: Function) -> Function:
    """The same, with `numba.prange` over all cores."""
    return cast("Function", numba.njit(cache=True, nogil=True, parallel=True, error_model="numpy")(function))
