"""Renders the page: template, style, scripts and data in one file.

Nothing in it reaches the network, and its content policy forbids that and any script but its own,
which are named by their hashes: a name in a table cannot become code.
"""

import base64
import functools
import hashlib
import importlib.resources
import json
from pathlib import Path

import altair
import jinja2
import vl_convert
from markupsafe import Markup

import ssmq

from ..errors import Error
from ..judged import read_table
from ..results import read_results
from ..tables import read_assignment
from . import charts
from .data import make_table
from .sizes import make_results


SCRIPTS = ["rows.js", "look.js", "charts.js", "comparison.js", "sizes.js", "grid.js", "page.js"]
# Before anything is painted.
_START = ('document.documentElement.dataset.theme = '
          'matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";')


def render(paths: list[Path], assignment: Path | None, results: Path | None = None) -> str:
    tables = [read_table(path) for path in paths]
    formats = read_assignment(assignment) if assignment else {}
    chosen = [{site.name: formats[site.name] for site in table.sites if site.name in formats}
              for table in tables]
    if assignment and not any(chosen):
        raise Error(f"{assignment} names no site of {paths[0]}; was it made for another model?")
    data = [make_table(table, one or None) for table, one in zip(tables, chosen, strict=True)]
    models = make_results(read_results(results)) if results else None
    scripts = [_START, _make_vega(), _join_scripts()]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_read("page.html.j2")).render(
        title=", ".join(dict.fromkeys(one["name"] for one in data)),
        tables=data, version=ssmq.__version__, has_assignment=any(chosen), has_results=bool(results),
        style=Markup(_read("page.css")), scripts=[Markup(script) for script in scripts],
        hashes=[_hash(script) for script in scripts],
        data=_embed({"tables": data, "results": models, "charts": charts.make_all()}))


def _read(name: str) -> str:
    return (importlib.resources.files(__package__) / "page" / name).read_text(encoding="utf-8")


@functools.cache
def _make_vega() -> str:
    """Vega, Vega-Lite and Vega-Embed in the version that the charts are written for, or the
    newest."""
    wanted = ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    versions = vl_convert.get_vegalite_versions()
    version = wanted if wanted in versions else versions[-1]
    return "(() => {" + vl_convert.javascript_bundle(vl_version=version).replace(
        "</script", "<\\/script") + "})();"


def _join_scripts() -> str:
    """In one scope that nothing else sees."""
    return '(() => {\n"use strict";\n' + "\n".join(map(_read, SCRIPTS)) + "})();\n"


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _embed(value: object) -> Markup:
    """JSON that no HTML parser takes for markup."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
