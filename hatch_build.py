"""Compiles what people write into what the program reads: packs (YAML) to one JSON, translations to ``.mo``.

Runs while a package or an editable install is built, and by hand: ``python hatch_build.py``.
``python hatch_build.py --check`` looks without writing. It imports nothing of hvrescue.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

PACKS = Path("src/hvrescue/rules/packs")
COMPILED = Path("src/hvrescue/rules/compiled.json")
LOCALE = Path("src/hvrescue/core/locale")

LANGUAGES = ("en", "de")
CODE = re.compile(r"[A-Z]+(-[A-Z]+)?-\d{3}")
NAME = re.compile(r"[a-z][a-z0-9_]*")
HOLE = re.compile(r"{([a-z][a-z0-9_]*)(?::(\w+))?}")
FORMATS = frozenset({"size", "hex"})
"""What the program can do with a number in a text: ``hvrescue.rules.catalogue`` fills the placeholders."""
ALWAYS = frozenset({"where", "path", "image", "offset", "size", "count"})
"""Placeholders every text may use: they come from the finding itself, not from its arguments."""
TEXTS = ("title", "meaning", "next", "avoid")
OPTIONAL_TEXTS = ("action",)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class LintError(Exception):
    """What is wrong with the packs, one ``file:line: message`` each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Pack:  # no dataclass: hatchling loads this file without a place in sys.modules
    """One file being looked at; notes what is wrong and goes on."""

    def __init__(self, name: str, problems: list[str], seen: dict[str, str]) -> None:
        self.name = name
        self.problems = problems  # of all files
        self.seen = seen  # code -> file:line of its definition, of all files

    def at(self, node: Node) -> str:
        return f"{self.name}:{node.start_mark.line + 1}"

    def wrong(self, node: Node, message: str) -> None:
        self.problems.append(f"{self.at(node)}: {message}")

    def mapping(self, node: Node, what: str) -> Iterator[tuple[str, Node, Node]]:
        """The pairs of a mapping as (key, key node, value node); each key once, and text."""
        if not isinstance(node, MappingNode):
            self.wrong(node, f"{what} must be a mapping")
            return
        keys = set()
        for key, value in node.value:
            name = self.text(key, f"a key of {what}")
            if name is None:
                continue
            if name in keys:
                self.wrong(key, f"{what} has {name!r} twice")
                continue
            keys.add(name)
            yield name, key, value

    def text(self, node: Node, what: str) -> str | None:
        """A text that is not empty; numbers, dates, yes and no must be quoted to be text."""
        if not isinstance(node, ScalarNode) or node.tag != "tag:yaml.org,2002:str":
            self.wrong(node, f"{what} must be text" + ("" if _is_nothing(node) else " (quote it?)"))
            return None
        if not node.value.strip():
            self.wrong(node, f"{what} is empty")
            return None
        return str(node.value).strip()

    def words(self, node: Node, what: str, *, or_one: bool = False) -> list[str]:
        """A list of texts, each once; with ``or_one`` a single text will do."""
        if or_one and isinstance(node, ScalarNode):
            one = self.text(node, what)
            return [] if one is None else [one]
        if not isinstance(node, SequenceNode):
            self.wrong(node, f"{what} must be a list")
            return []
        found: list[str] = []
        for item in node.value:
            word = self.text(item, f"an entry of {what}")
            if word in found:
                self.wrong(item, f"{what} has {word!r} twice")
            elif word is not None:
                found.append(word)
        return found

    def both_languages(self, node: Node, what: str, allowed: frozenset[str]) -> dict[str, str]:
        """The same text in each language, using only placeholders that will have a value."""
        texts: dict[str, str] = {}
        for language, key, value in self.mapping(node, what):
            if language not in LANGUAGES:
                self.wrong(key, f"{what}: unknown language {language!r}")
                continue
            texts[language] = ""  # there, even when what it says is wrong: one complaint is enough
            text = self.text(value, f"{what}.{language}")
            if text is not None:
                texts[language] = text
                for complaint in _placeholders(text, allowed):
                    self.wrong(value, f"{what}.{language}: {complaint}")
        if isinstance(node, MappingNode):
            for language in LANGUAGES:
                if language not in texts:
                    self.wrong(node, f"{what} lacks {language!r}")
        return {language: texts.get(language, "") for language in LANGUAGES}


def _is_nothing(node: Node) -> bool:
    return not isinstance(node, ScalarNode) or node.tag == "tag:yaml.org,2002:null"


def _placeholders(text: str, allowed: frozenset[str]) -> Iterator[str]:
    """What is wrong with the ``{name}`` and ``{name:format}`` in a text."""
    for name, form in HOLE.findall(text):
        if name not in allowed:
            yield f"placeholder {{{name}}} is not in args"
        if form and form not in FORMATS:
            yield f"placeholder {{{name}:{form}}}: unknown format; known: {', '.join(sorted(FORMATS))}"
    if brace := re.search(r"[{}].{0,20}", HOLE.sub("", text), re.DOTALL):
        yield f"a brace that is no placeholder {{name}} or {{name:format}}: {brace.group()!r}"


def _finding(pack: _Pack, code: str, key: Node, node: Node) -> dict[str, object]:
    """One finding: its invariants, its arguments and its texts."""
    parts: dict[str, Node] = {}
    for name, name_node, value in pack.mapping(node, code):
        if name in (*TEXTS, *OPTIONAL_TEXTS, "invariant", "args"):
            parts[name] = value
        else:
            pack.wrong(name_node, f"{code}: unknown key {name!r}")
    args = pack.words(parts["args"], f"{code}.args") if "args" in parts else []
    for arg in args:
        if not NAME.fullmatch(arg):
            pack.wrong(parts["args"], f"{code}.args: {arg!r} must be a plain name in small letters")
    finding: dict[str, object] = {
        "invariant": pack.words(parts["invariant"], f"{code}.invariant", or_one=True) if "invariant" in parts else [],
        "args": args,
    }
    for name in (*TEXTS, *OPTIONAL_TEXTS):
        if name in parts:
            finding[name] = pack.both_languages(parts[name], f"{code}.{name}", ALWAYS | set(args))
        elif name in TEXTS and isinstance(node, MappingNode):
            pack.wrong(key, f"{code} lacks {name!r}")
    return finding


def _findings(pack: _Pack, node: Node) -> dict[str, object]:
    """The section ``findings``: code to finding."""
    found: dict[str, object] = {}
    for code, key, value in pack.mapping(node, "findings"):
        if not CODE.fullmatch(code):
            pack.wrong(key, f"code {code!r} is not of the form VHDX-HDR-001 or CHAIN-005")
        elif code in pack.seen:
            pack.wrong(key, f"code {code} stands already in {pack.seen[code]}")
        else:
            pack.seen[code] = pack.at(key)
            found[code] = _finding(pack, code, key, value)
    return found


SECTIONS: dict[str, Callable[[_Pack, Node], dict[str, object]]] = {"findings": _findings}
"""What a pack may hold; a new section is one function and one line here."""


def compile_packs(packs: Path) -> dict[str, dict[str, object]]:
    """All packs below a folder as section -> key -> content; raises LintError with all that is wrong."""
    problems: list[str] = []
    seen: dict[str, str] = {}
    compiled: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    for file in sorted(packs.rglob("*.y*ml")):
        name = file.relative_to(packs).as_posix()
        if name.count("/") != 1 or file.suffix != ".yaml":
            problems.append(f"{name}:1: a pack is <topic>/<id>.yaml")
            continue
        pack = _Pack(name, problems, seen)
        for section, node in _sections(pack, file):
            compiled[section].update(SECTIONS[section](pack, node))
    if problems:
        raise LintError(problems)
    return compiled


def _sections(pack: _Pack, file: Path) -> Iterator[tuple[str, Node]]:
    """The known sections of one file."""
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        pack.problems.append(f"{pack.name}:1: not UTF-8 ({error.reason} at byte {error.start})")
        return
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        pack.problems.append(f"{pack.name}:{line}: not YAML: {error.problem}")
        return
    except yaml.YAMLError as error:
        pack.problems.append(f"{pack.name}:1: not YAML: {error}")
        return
    if root is None:
        pack.problems.append(f"{pack.name}:1: the pack is empty")
        return
    for section, key, value in pack.mapping(root, "the pack"):
        if section in SECTIONS:
            yield section, value
        else:
            pack.wrong(key, f"unknown section {section!r}; known: {', '.join(sorted(SECTIONS))}")


def as_json(compiled: dict[str, dict[str, object]]) -> str:
    """The compiled packs, byte for byte the same for the same packs."""
    return json.dumps(compiled, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def compile_translation(po: Path) -> bytes:
    """One ``.po`` as ``.mo``; what is fuzzy stays untranslated."""
    with po.open("rb") as file:
        catalogue = read_po(file, abort_invalid=True)
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def outputs(root: Path) -> dict[Path, bytes]:
    """Everything that is compiled: file -> content. Nothing is written."""
    built = {root / COMPILED: as_json(compile_packs(root / PACKS)).encode()}
    for po in sorted((root / LOCALE).glob("*/LC_MESSAGES/hvrescue.po")):
        built[po.with_suffix(".mo")] = compile_translation(po)
    return built


def build(root: Path) -> list[Path]:
    """Compile everything and write what differs from what is there; the files written."""
    written = []
    for file, content in outputs(root).items():
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_name(file.name + ".new")
            new.write_bytes(content)
            new.replace(file)  # a running program sees the old file or the new one
            written.append(file)
    return written


class CompileHook(BuildHookInterface[Any]):
    """Runs before hatchling gathers the files of a wheel, an sdist or an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Hatchling's entry."""
        del version, build_data  # the outputs are named as artifacts in pyproject.toml
        try:
            build(Path(self.root))
        except LintError as error:
            self.app.abort(f"the packs cannot be compiled:\n{error}")


def main(argv: list[str]) -> int:
    """Compile, or with ``--check`` only look."""
    root = Path(__file__).resolve().parent
    if argv not in ([], ["--check"]):
        print("usage: python hatch_build.py [--check]", file=sys.stderr)
        return 2
    try:
        if argv:
            count = len(compile_packs(root / PACKS)["findings"])
            print(f"packs: {count} findings, complete in {' and '.join(LANGUAGES)}")
        else:
            for file in build(root):
                print(f"wrote {file.relative_to(root).as_posix()}")
    except LintError as error:
        for problem in error.problems:
            print(f"{PACKS.as_posix()}/{problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
