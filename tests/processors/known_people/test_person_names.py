from __future__ import annotations

import pytest

from processors.known_people.person_names import clean_name, folder_names, person_id, person_number


def test_ids_as_text_and_back() -> None:
    assert (person_id(7), person_id(12345)) == ("P0007", "P12345")
    assert [person_number(text) for text in ("P0007", "p7", " P12345 ", "Anna", "P", "P-1", "P٧")] == [
        7, 7, 12345, None, None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Anna", "Anna"),
        ("A\u0308nne", "Änne"),
        ("  Anna \n\t Maria ", "Anna Maria"),
        ("\u202eevil\u0000", "evil"),
        ("\udcff", "?"),
        ("", ""),
        ("x" * 400, "x" * 255),
        ("€" * 100, "€" * 85),
    ],
)
def test_names_that_can_be_shown(text: str, name: str) -> None:
    assert clean_name(text) == name


def test_folders_of_names() -> None:
    assert folder_names(["Anna", "anna", "AC/DC", "Anna", "..", "👩\u200d🚀"]) == [
        "Anna", "anna (2)", "AC_DC", "Anna (3)", "video", "👩_🚀",
    ]  # fmt: skip
    assert folder_names(["Unknown", "Anna (2)", "Anna", "Anna"], taken=["unknown"]) == [
        "Unknown (2)", "Anna (2)", "Anna", "Anna (3)",
    ]  # fmt: skip
