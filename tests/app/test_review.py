"""What a review found once, and must not come back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from hvrescue.app.cat import cat_disk
from hvrescue.app.convert import Wish, convert_disk
from hvrescue.app.diagnose import diagnose
from hvrescue.app.looking import look_at
from hvrescue.byteio.file import open_file
from hvrescue.core.context import QUIET
from hvrescue.core.errors import Misuse, Refused
from hvrescue.core.limits import MIB
from hvrescue.core.words import Verdict
from hvrescue.images.vhdx.survey import survey
from hvrescue.images.vhdx.write import LogKind, VhdxSpec, VhdxWriter
from hvrescue.lab.guests import write_base, write_child
from hvrescue.lab.host import build_host

BAT = 3 * MIB


@pytest.mark.parametrize("times", [2, 255, 256, 257, 258, 512, 513])
def test_however_often_a_place_is_named(tmp_path: Path, times: int) -> None:
    """Counting in eight bits, 256 entries of one place once looked like none."""
    path = tmp_path / "a.vhdx"
    with VhdxWriter(path, VhdxSpec(1024 * MIB, MIB, log=LogKind.EMPTY)) as writer:
        for block in range(600):
            writer.place(block)
    with path.open("r+b") as file:
        file.seek(BAT)
        table = np.frombuffer(file.read(8 * 600), "<u8").copy()
        table[1:times] = table[0]
        file.seek(BAT)
        file.write(table.tobytes())
    looked = look_at(path, {}, QUIET)
    assert looked.survey.layout.bat.doubt.mask[:times].all()
    assert not looked.survey.layout.bat.doubt.mask[times:].any()


def test_threads_change_nothing_in_a_report(tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    with VhdxWriter(path, VhdxSpec(6 * 1024 * 1024 * MIB, MIB, log=LogKind.EMPTY)) as writer:
        for block in range(0, 6 * 1024 * 1024, 40_000):
            writer.state(block, 5)  # type: ignore[arg-type]
    reports = [survey(open_file(path), QUIET.with_workers(workers)).findings for workers in (1, 4, 4)]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0][0].count == 158


def test_two_files_of_one_identity_are_told_by_every_verb(tmp_path: Path) -> None:
    link = write_base(tmp_path / "gone.vhdx", "b", 16 * MIB, (0, 2))
    write_child(tmp_path / "c.avhdx", "c", tmp_path / "gone.vhdx", link, 16 * MIB, (1,))
    for name in ("one.vhdx", "two.vhdx"):
        (tmp_path / name).write_bytes((tmp_path / "gone.vhdx").read_bytes())
    (tmp_path / "gone.vhdx").unlink()
    result = convert_disk(tmp_path / "c.avhdx", Wish(tmp_path / "out.raw"), {}, QUIET)
    assert result.exit_code == 1
    assert "CHAIN-012" in {f["code"] for f in result.document.data["findings"]}
    assert cat_disk(tmp_path / "c.avhdx", 0, 512, io.BytesIO(), {}, QUIET).exit_code == 1


def test_a_raw_disk_of_odd_size_becomes_no_vhdx(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"x" * 1000)
    with pytest.raises(Refused):
        convert_disk(tmp_path / "a.raw", Wish(tmp_path / "a.vhdx"), {}, QUIET)


@pytest.mark.parametrize("name", ["a.vhd", "a.avhdx", "a.vmdk", "a.VHD"])
def test_a_name_that_promises_another_format(tmp_path: Path, name: str) -> None:
    write_base(tmp_path / "b.vhdx", "b", 16 * MIB, (0,))
    with pytest.raises(Misuse):
        convert_disk(tmp_path / "b.vhdx", Wish(tmp_path / name), {}, QUIET)


def test_a_copy_with_holes_is_never_taken_for_whole(tmp_path: Path) -> None:
    host = tmp_path / "host"
    host.mkdir()
    build_host(host)
    wish = Wish(tmp_path / "m.vhdx", allow_damaged=True, hole_map=tmp_path / "m.json")
    convert_disk(host / "MAIL01" / "MAIL01.vhdx", wish, {}, QUIET)
    looked = look_at(tmp_path / "m.vhdx", {}, QUIET)
    assert {f.code for f in looked.survey.findings} >= {"VHDX-FILE-006"}
    assert looked.chain.verdict == Verdict.DAMAGED


def test_one_missing_source_does_not_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    write_base(tmp_path / "there" / "b.vhdx", "b", 16 * MIB, (0,))
    data = diagnose([tmp_path / "there", tmp_path / "not"], {}, QUIET).document.data
    assert len(data["disks"]) == 1
    assert "SRC-001" in {n["code"] for n in data["not_looked"]}


def test_several_torn_log_entries_are_no_torn_write(tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    with VhdxWriter(path, VhdxSpec(16 * MIB, MIB, log=LogKind.PENDING)) as writer:
        writer.write(0, b"x" * 512)
    with path.open("r+b") as file:
        for at in (MIB + 4096, MIB + 4096 + 8192):
            file.seek(at + 100)
            file.write(b"rot")
    assert look_at(path, {}, QUIET).survey.verdict == Verdict.UNREADABLE
