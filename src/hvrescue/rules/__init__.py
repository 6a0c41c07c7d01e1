"""Knowledge as data: packs in YAML, compiled to one JSON when the package is built."""
