"""Case generator written by a stranger: virtual disks built byte by byte, with known truth.

Nothing in this package imports the product.  Everything follows the reference page ``formats.md``
(sections 1, 2 and 5) and ``field-notes.md``; "spec" in the docstrings means those two pages.

Use it like this::

    from strangers.cases import plans          # or tests.strangers.cases
    from strangers.compare import compare

    for plan in plans():                       # about 1,100; 10 ms each
        case = plan.build(directory)
        found = compare(case.truth, my_reader(case.leaf), lost=case.expect.lost)
        ...
        case.discard()

Modules: ``model`` (values), ``pattern`` (self-describing sectors), ``truth`` (the guest view),
``vhdx_*`` and ``vhd_*`` (builders), ``damage_*`` (damages, one file per subject), ``healthy*``
(strange but healthy files), ``expect`` (the verdict a case asks for), ``cases`` (all of it),
``compare`` (bytes against truth), ``peers`` (other tools), ``replay`` (a second log replay).
"""
