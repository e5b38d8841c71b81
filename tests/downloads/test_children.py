from __future__ import annotations

from aniworld_site.downloads.children import Child


def test_what_is_no_message_is_passed_over_and_what_has_no_end_is_an_error():
    child = Child("tests.downloads.chatter", {})

    said = [each for each in child.listen(every_s=5) if each]

    assert child.stop() == 0
    assert said == [
        {"error": "The process says more than 64 KiB at once.", "trouble": "permanent"}
    ]
