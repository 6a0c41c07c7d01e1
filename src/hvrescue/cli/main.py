"""The top of the command line."""

from __future__ import annotations

from hvrescue.cli.lazy import LazyGroup, Verb
from hvrescue.cli.options import GROUP, lang_option, version_option
from hvrescue.core.language import _

cli = LazyGroup(
    "hvrescue",
    verbs={
        "diagnose": Verb("hvrescue.cli.diagnose:diagnose", _("What happened here, and what to do first.")),
        "disk": Verb("hvrescue.cli.disk:disk", _("Look at one virtual disk, check it, get its content out.")),
        "explain": Verb("hvrescue.cli.explain:explain", _("What a finding's code means, and what to do.")),
        "demo": Verb("hvrescue.cli.demo:demo", _("Build a broken host's folder and diagnose it.")),
    },
    help=_(
        "Finds what broke on a Hyper-V host and gets its machines back. It only reads, unless a command says "
        "otherwise.\n\nIn an emergency: do not start, merge or repair anything yet. A machine that still runs may "
        "be the last good copy: back it up from inside first. Then:\n\n    hvrescue diagnose FOLDER"
    ),
    epilog=_(
        "Exit codes: 0 healthy or done, 1 problems found, 2 wrong usage, 3 could not look, 4 refused for safety, "
        "5 a step failed, 130 interrupted."
    ),
    context_settings=GROUP,
    params=[lang_option(), version_option()],
)
