"""A document as JSON: one object, ASCII only, so that nothing in it can steer a terminal."""

from __future__ import annotations

import json

from hvrescue.document.model import Document


def render_json(document: Document) -> str:
    """The data with its schema first."""
    return json.dumps({"schema": document.schema, **document.data}, indent=2, ensure_ascii=True)
