# shellcheck shell=bash
# The project's own environment in .venv. Sourced by the scripts, from the project's folder:
#   env_product     what a user needs, added to whatever .venv holds already
#   env_all         every dependency group, exactly as locked
#   env_programs    qemu-img and 7-Zip by apt, when root; they serve the oracle tests

# Somebody else's active environment must not become ours.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH UV_PROJECT UV_PYTHON
export UV_PROJECT_ENVIRONMENT="$PWD/.venv" UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
export UV_NO_PROGRESS=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# A warning of pip about the user it runs as helps nobody here.
export PIP_ROOT_USER_ACTION=ignore

say() { printf '%s\n' "$*" >&2; }

_fits() { "$@" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

_python() {
    local name
    for name in python3 python3.11 python3.12 python3.13 python3.14 python; do
        if command -v "$name" >/dev/null && _fits "$name"; then
            command -v "$name"
            return
        fi
    done
    say "Python 3.11 or newer is needed and was not found."
    return 2
}

_can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

_apt() {
    _can_apt || return 1
    say "installing $* by apt"
    # Not every machine has up-to-date lists, and not every machine can get them.
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 && return
    apt-get update -qq >/dev/null 2>&1 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1
}

# Leaves a .venv of Python 3.11+ with uv in it; prints the path of uv.
_uv() {
    local python
    if ! _fits .venv/bin/python; then
        python=$(_python)
        say "creating .venv with $("$python" --version)"
        # Debian keeps a part of the venv module in a package of its own.
        "$python" -c 'import ensurepip' 2>/dev/null || _apt python3-venv || true
        "$python" -m venv --clear .venv >&2
    fi
    if [ -x .venv/bin/uv ]; then
        echo .venv/bin/uv
    elif .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null 2>&1; then
        .venv/bin/python -m pip install -qq uv >&2 && echo .venv/bin/uv
    else
        command -v uv
    fi
}

_sync() {
    local uv
    uv=$(_uv) || { say "uv could not be installed into .venv"; return 2; }
    "$uv" sync --quiet --frozen "$@"
    # Compiled packs that somebody removed come back with the next build.
    [ -f src/hvrescue/rules/compiled.json ] || "$uv" sync --quiet --frozen --reinstall-package hvrescue "$@"
}

env_product() { _sync --no-default-groups --inexact; }

env_all() {
    _sync --all-extras --all-groups
    # An editable install sees changed packs and translations only when they are compiled.
    .venv/bin/python hatch_build.py >&2
}

env_programs() {
    if ! command -v qemu-img >/dev/null; then
        _apt qemu-utils || say "qemu-img is missing: the tests that ask it say so and are skipped"
    fi
    if ! command -v 7zz >/dev/null && ! command -v 7z >/dev/null; then
        _apt 7zip || _apt p7zip-full || say "7-Zip is missing: the tests that ask it say so and are skipped"
    fi
}
