"""What a person can do with files: given other names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aniworld_site.exceptions import DomainError
from aniworld_site.library.models import EpisodeFile
from aniworld_site.library.services import preview_names, rename_files
from tests.factories import make_episode, make_file, make_root, make_season

pytestmark = pytest.mark.django_db

ODD = os.fsdecode(b"Dark \xff")


def test_a_clash_of_names_that_are_no_text_is_told_in_text(tmp_path: Path):
    root, season = make_root(path=str(tmp_path)), make_season()
    (tmp_path / ODD).mkdir()
    for number in (1, 2):
        name = f"{number}.mkv"
        (tmp_path / ODD / name).write_bytes(b"x")
        episode = make_episode(season, number=number, absolute_number=7)
        make_file(root=root, folder=ODD, name=name, link=episode)
    renamings = preview_names(season.series, "{absolute}")

    with pytest.raises(DomainError, match="would be the name of two files") as refused:
        rename_files(renamings, by="keeper")

    assert str(refused.value).startswith("Dark \ufffd/7.mkv")
    assert sorted(EpisodeFile.objects.values_list("name", flat=True)) == [
        "1.mkv",
        "2.mkv",
    ]
