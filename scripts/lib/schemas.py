"""The JSON Schemas of everything ``--json`` prints, built from this one description.

``python scripts/lib/schemas.py`` writes ``src/hvrescue/schemas``; ``--check`` only tells what differs. Strict:
every key is required, no other is allowed, and the words are those of the program's own types. A change that
takes a key away or gives it another meaning needs a new number in the schema's name.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Any

from hvrescue.core.language import LANGUAGES
from hvrescue.core.words import MAX_SAMPLES, Repair, Severity, Verdict
from hvrescue.diagnosis.judgement import Basis, Start

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "src" / "hvrescue" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def said(schema: Schema, description: str) -> Schema:
    """The same with a word on what it means."""
    return {"description": description, **schema}


def obj(keys: Schema, description: str = "", optional: Iterable[str] = ()) -> Schema:
    """An object that has these keys and no other; all are required but the optional ones."""
    required = [key for key in keys if key not in set(optional)]
    made: Schema = {"type": "object", "properties": keys, "required": required, "additionalProperties": False}
    return said(made, description) if description else made


def array(items: Schema, description: str = "", **bounds: int) -> Schema:
    """A list of things of one kind."""
    made = {"type": "array", "items": items, **bounds}
    return said(made, description) if description else made


def ref(name: str) -> Schema:
    """One of the shared definitions."""
    return {"$ref": f"#/$defs/{name}"}


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def word(values: Iterable[str]) -> Schema:
    """One of these words."""
    return {"enum": list(values)}


def words_of(kind: type[Enum]) -> Schema:
    """One of an enumeration's words, as the program writes them."""
    return word(str(member.value) if isinstance(member.value, str) else member.name.lower() for member in kind)


def number(least: int, description: str = "") -> Schema:
    """A whole number."""
    made: Schema = {"type": "integer", "minimum": least}
    return said(made, description) if description else made


TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
BYTES = number(0)
NAME: Schema = {"type": "string", "minLength": 1}
SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
FORMATS = word(("vhdx", "vhd", "raw", "none"))
COMPLETE = said(FLAG, "Whether everything was looked at; if not, not_looked says what was not.")
NOTHING_YET: Schema = {"type": "array", "maxItems": 0, "description": "Always empty in this version."}

DEFINITIONS: Schema = {
    "code": said({"type": "string", "pattern": r"^[A-Z]+(-[A-Z]+)?-[0-9]{3}$"}, "Never changes its meaning."),
    "guid": {"type": "string", "pattern": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    "time": said({"type": "string", "pattern": r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$"}, "UTC."),
    "severity": said(words_of(Severity), "From warning on the disk is not healthy; fatal: Hyper-V cannot open it."),
    "verdict": said(words_of(Verdict), "unreadable: no byte of the guest is known; unknown: not judged."),
    "where": obj(
        {
            "source": TEXT,
            "path": TEXT,
            "structure": TEXT,
            "field": TEXT,
            "offset": or_null(BYTES),
            "size": or_null(BYTES),
        },
        "A place in evidence. A path nests with '!'. Offset and size in bytes; null when it has none.",
    ),
    "finding": obj(
        {
            "code": ref("code"),
            "severity": ref("severity"),
            "title": NAME,
            "meaning": NAME,
            "next": NAME,
            "avoid": TEXT,
            "count": number(1, "How often it was found; where shows a sample."),
            "args": {"type": "object", "additionalProperties": SCALAR},
            "where": array(ref("where"), minItems=1, maxItems=MAX_SAMPLES),
            "repair": obj({"class": words_of(Repair), "action": TEXT}),
        },
        "Something that matters. The texts are in the language asked for, the code is not.",
    ),
    "not_looked": obj(
        {"where": ref("where"), "code": ref("code"), "reason": NAME},
        "What could not be looked at. It is not known to be healthy.",
    ),
    "disk": obj(
        {
            "kind": word(("fixed", "dynamic", "differencing")),
            "virtual_size": BYTES,
            "sector_size": {"enum": [512, 4096]},
            "block_size": number(0, "0 when the format has no blocks."),
            "identity": said(ref("guid"), "What a child of it names; zeros for a raw disk."),
            "disk_id": or_null(ref("guid")),
            "creator": TEXT,
        },
        "Who the disk is. Sizes in bytes.",
    ),
    "link": obj(
        {
            "path": TEXT,
            "format": FORMATS,
            "verdict": ref("verdict"),
            "disk": or_null(ref("disk")),
            "parent": array(ref("guid"), "Identities that fit as its parent; empty for a base."),
        },
        "One disk of a chain.",
    ),
}


def document(name: str, description: str, keys: Schema, optional: Iterable[str] = ()) -> Schema:
    """The schema of one document, with the definitions it uses."""
    body = obj({"schema": {"const": f"hvrescue/{name}"}, **keys}, optional=optional)
    schema: Schema = {
        "$schema": DIALECT,
        "$id": f"urn:hvrescue:schema:{name.replace('/', ':')}",
        "title": f"hvrescue/{name}",
        "description": description,
        **body,
    }
    used = _used(schema)
    return {**schema, "$defs": {key: value for key, value in DEFINITIONS.items() if key in used}} if used else schema


def _used(schema: object) -> set[str]:
    """Names of definitions that a schema leads to, directly or through others."""
    names: set[str] = set()
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            name = str(part.get("$ref", "")).removeprefix("#/$defs/")
            if name and name not in names:
                names.add(name)
                waiting.append(DEFINITIONS[name])
    return names


FINDINGS = array(ref("finding"))
NOT_LOOKED = array(ref("not_looked"))
CHAIN = array(ref("link"), "From the disk asked for down to its base.", minItems=1)
RANGE = obj({"offset": BYTES, "length": number(1)})
ONSET = {"after": or_null(ref("time")), "before": or_null(ref("time"))}


def disk_check() -> Schema:
    """``disk check``."""
    return document(
        "disk-check/1",
        "Whether one disk and the chain beneath it are whole, and if not, where not.",
        {
            "complete": COMPLETE,
            "path": TEXT,
            "format": FORMATS,
            "verdict": said(ref("verdict"), "Of the disk together with its chain."),
            "disk": or_null(ref("disk")),
            "findings": FINDINGS,
            "chain": CHAIN,
            "not_looked": NOT_LOOKED,
        },
    )


def disk_info() -> Schema:
    """``disk info``."""
    return document(
        "disk-info/1",
        "What one disk says of itself, without judgement.",
        {
            "complete": COMPLETE,
            "path": TEXT,
            "format": FORMATS,
            "verdict": said(ref("verdict"), "Of the file itself, without its chain."),
            "file_size": BYTES,
            "disk": or_null(ref("disk")),
            "fields": said(
                {"type": "object", "additionalProperties": SCALAR},
                "Fields by their names in the format's specification: for people, not a promise.",
            ),
            "parents": array(TEXT, "Paths of the parents that were found, nearest first."),
            "not_looked": NOT_LOOKED,
        },
    )


def disk_chain() -> Schema:
    """``disk chain``."""
    return document(
        "disk-chain/1",
        "The files a disk hangs on.",
        {
            "complete": COMPLETE,
            "path": TEXT,
            "whole": said(FLAG, "Every link fits and every file is healthy."),
            "chain": CHAIN,
            "findings": FINDINGS,
            "not_looked": NOT_LOOKED,
        },
    )


def disk_map() -> Schema:
    """``disk map``."""
    common = {"offset": said(BYTES, "In the guest."), "length": number(1)}
    layer = said(BYTES, "Which of layers; 0 is the disk asked for.")
    held = obj({**common, "state": {"const": "present"}, "layer": layer, "at": said(BYTES, "Offset in that file.")})
    other = obj({**common, "state": word(("zero", "unknown"))})
    return document(
        "disk-map/1",
        "Which range of the guest lies where.",
        {
            "complete": said(
                FLAG, "False when there are more ranges than asked for, or something was not looked at."
            ),
            "path": TEXT,
            "virtual_size": BYTES,
            "layers": array(TEXT, minItems=1),
            "extents": array({"oneOf": [held, other]}, "Ascending, without gaps."),
            "not_looked": NOT_LOOKED,
        },
    )


def disk_cat() -> Schema:
    """``disk cat``: its bytes go to standard output, this to standard error."""
    return document(
        "disk-cat/1",
        "What makes it doubtful whether the bytes written out are the right ones; mostly nothing.",
        {"complete": FLAG, "findings": FINDINGS},
    )


def disk_convert() -> Schema:
    """``disk convert``."""
    return document(
        "disk-convert/1",
        "What was written into a new file.",
        {
            "complete": said(FLAG, "False when any byte could not be known."),
            "path": TEXT,
            "target": TEXT,
            "format": word(("raw", "vhdx")),
            "virtual_size": BYTES,
            "copied": said(BYTES, "Bytes."),
            "unknown": said(BYTES, "Bytes that could not be known and are zeros in the target."),
            "holes": said(BYTES, "How many ranges that were."),
            "hole_map": said(or_null(TEXT), "Path of the document hvrescue/hole-map/1."),
            "findings": FINDINGS,
        },
    )


def hole_map() -> Schema:
    """The file ``disk convert --hole-map`` writes."""
    reason = word(("structure", "read error"))
    return document(
        "hole-map/1",
        "Ranges of the guest that are zeros in a copy because they could not be known.",
        {"holes": array(obj({"offset": BYTES, "length": number(1), "reason": reason}), "Ascending.")},
    )


def diagnosis() -> Schema:
    """``diagnose`` and ``demo``."""
    disk = obj(
        {
            "path": TEXT,
            "format": FORMATS,
            "verdict": ref("verdict"),
            "may_start": said(words_of(Start), "never: other disks hang on it, or should."),
            "onset": or_null(obj({**ONSET, "basis": words_of(Basis)}, "Since when it cannot be whole.")),
            "disk": or_null(ref("disk")),
            "parent": or_null(TEXT),
            "children": array(TEXT),
            "estranged": array(TEXT, "Disks that name it as their parent but were made from an earlier state."),
            "orphan": said(FLAG, "A child whose chain is broken."),
            "findings": array(ref("code")),
        }
    )
    step = obj({"text": NAME, "command": TEXT, "risk": word(("reads", "reversible", "irreversible"))})
    return document(
        "diagnosis/1",
        "What was found below the sources, what to do first and what not.",
        {
            "complete": COMPLETE,
            "sources": array(TEXT),
            "summary": NAME,
            "onset": obj(ONSET, "The earliest of all disks; null: not known."),
            "machines": NOTHING_YET,
            "disks": array(disk),
            "findings": FINDINGS,
            "causes": NOTHING_YET,
            "steps": array(step, "In this order."),
            "avoid": array(NAME),
            "timeline": NOTHING_YET,
            "not_looked": NOT_LOOKED,
        },
    )


def explanation() -> Schema:
    """``explain``."""
    texts = obj(dict.fromkeys(LANGUAGES, TEXT))
    fields = dict.fromkeys(("title", "meaning", "next", "avoid", "action"), texts)
    entry = obj({"code": ref("code"), "invariants": array(NAME), **fields})
    return document(
        "explanation/1",
        "What codes mean.",
        {
            "complete": said(FLAG, "Nothing is unknown."),
            "asked": TEXT,
            "explanations": array(entry),
            "unknown": array(TEXT),
        },
    )


def error() -> Schema:
    """Any verb that could not do its work."""
    return document(
        "error/1",
        "Why a verb ended without its own document.",
        {
            "complete": {"const": False},
            "exit_code": said({"enum": [3, 4, 5]}, "3 could not look, 4 refused for safety, 5 a step failed."),
            "finding": ref("finding"),
            "ranges": array(RANGE, "Of the guest or the file, where ranges are the reason.", maxItems=1000),
        },
    )


DOCUMENTS = (
    disk_check,
    disk_info,
    disk_chain,
    disk_map,
    disk_cat,
    disk_convert,
    hole_map,
    diagnosis,
    explanation,
    error,
)


def files() -> dict[str, str]:
    """Every schema file: name -> content, the same for the same description."""
    made = {}
    for build in DOCUMENTS:
        schema = build()
        name = schema["title"].removeprefix("hvrescue/").replace("/", "-")
        made[f"{name}.json"] = json.dumps(schema, indent=2) + "\n"
    return made


def drift(folder: Path = FOLDER) -> list[str]:
    """Names of files that are missing, other than described, or not described."""
    wanted = files()
    there = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*") if file.is_file()}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main(argv: list[str]) -> int:
    """Write the schemas, or with ``--check`` only look."""
    if argv not in ([], ["--check"]):
        print("usage: python scripts/lib/schemas.py [--check]", file=sys.stderr)
        return 2
    changed = drift()
    if argv:
        for name in changed:
            print(
                f"{FOLDER.relative_to(ROOT).as_posix()}/{name}: not as scripts/lib/schemas.py has it", file=sys.stderr
            )
        return 1 if changed else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        if name in changed:
            (FOLDER / name).write_text(text, encoding="utf-8")
            print(f"wrote {(FOLDER / name).relative_to(ROOT).as_posix()}")
    for name in changed:
        if name not in files():
            print(f"{(FOLDER / name).relative_to(ROOT).as_posix()} is no schema of this version", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
