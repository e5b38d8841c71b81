"""What the pages send: filters, root folders, and decisions about files."""

from __future__ import annotations

from typing import Any

from django import forms

from aniworld_site.library.destinations import (
    DEFAULT_TEMPLATE,
    TemplateError,
    check_template,
)
from aniworld_site.library.fields import from_stored
from aniworld_site.library.models import RootFolder, Series
from aniworld_site.library.selectors import find_series

ONLY = [
    ("", "All"),
    ("monitored", "Monitored"),
    ("unmonitored", "Not monitored"),
    ("missing", "Episodes missing"),
    ("complete", "Complete"),
]
SORT = [
    ("title", "Title"),
    ("-added", "Newest first"),
    ("-changed", "Changed last"),
    ("missing", "Most missing"),
    ("year", "Year"),
]


class SeriesFilterForm(forms.Form):
    """What the series list shows. What makes no sense counts as not chosen: an old bookmark never fails."""

    q = forms.CharField(required=False, max_length=100, strip=True)
    filter = forms.ChoiceField(choices=ONLY, required=False)
    root = forms.IntegerField(required=False, min_value=1, max_value=2**31)
    sort = forms.ChoiceField(choices=SORT, required=False)

    def wanted(self) -> dict[str, Any]:
        """Return the arguments of `list_series`."""
        self.is_valid()
        chosen = self.cleaned_data
        return {
            "text": chosen.get("q") or "",
            "only": chosen.get("filter") or "",
            "root_id": chosen.get("root"),
            "sort": chosen.get("sort") or "title",
        }


class UnmatchedFilterForm(forms.Form):
    """Which of the unmatched files are shown, or of those that were set aside."""

    q = forms.CharField(required=False, max_length=100, strip=True)
    root = forms.IntegerField(required=False, min_value=1, max_value=2**31)
    ignored = forms.BooleanField(required=False)

    def wanted(self) -> dict[str, Any]:
        """Return the arguments of `list_unmatched` or `list_ignored`, and `is_ignored`, which tells the two apart."""
        self.is_valid()
        chosen = self.cleaned_data
        return {
            "text": chosen.get("q") or "",
            "root_id": chosen.get("root"),
            "is_ignored": bool(chosen.get("ignored")),
        }


class RootAddForm(forms.Form):
    """A folder of the person's own."""

    path = forms.CharField(
        max_length=4096,
        error_messages={"required": "Give the folder's path, like /data/series."},
    )
    name = forms.CharField(max_length=80, required=False)


class RootEditForm(forms.ModelForm):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """What a person may change of a root folder."""

    class Meta:
        model = RootFolder
        fields = ["name", "is_anime"]


class SeriesField(forms.CharField):
    """A series by its key or title, as a person types it."""

    def clean(self, value: Any) -> Series | None:
        text = super().clean(value)
        if not text:
            return None
        found = find_series(text)
        if not found:
            raise forms.ValidationError(
                f"No series is called “{text}”. Choose one of the suggestions, or make a new one."
            )
        if len(found) > 1:
            raise forms.ValidationError(
                f"“{text}” may be {', '.join(f'{series} ({series.key})' for series in found)}. Give the one in brackets."
            )
        return found[0]


class IdsField(forms.TypedMultipleChoiceField):
    """Primary keys that were ticked. Whether there are such rows is for the query to say, since a list of all would be long."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=int, **kwargs)

    def valid_value(self, value: Any) -> bool:
        text = str(value)
        return text.isascii() and text.isdecimal() and int(text) < 2**63


class FilesForm(forms.Form):
    """Files that were ticked."""

    files = IdsField(error_messages={"required": "Tick at least one file first."})  # type: ignore[assignment]  # A form's class gives its fields away.


class AssignFilesForm(FilesForm):
    """Files that are episodes of a series. Empty numbers are taken from the files' names."""

    series = SeriesField(
        error_messages={"required": "Say which series the files belong to."}
    )
    season = forms.IntegerField(required=False, min_value=0, max_value=9999)
    episode = forms.IntegerField(required=False, min_value=0, max_value=99999)


class FolderForm(forms.Form):
    """A folder directly under a root."""

    root = forms.ModelChoiceField(
        RootFolder.objects.all(),
        error_messages={"invalid_choice": "This root folder is gone."},
    )
    folder = forms.CharField(max_length=4096, strip=False)

    def clean_folder(self) -> str:
        return from_stored(str(self.cleaned_data["folder"]))


class AssignFolderForm(FolderForm):
    """Says which series a folder is: one that is there, or a new one with this title."""

    series = SeriesField(required=False)
    title = forms.CharField(required=False, max_length=250)
    year = forms.IntegerField(required=False, min_value=1850, max_value=2200)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors and not values.get("series") and not values.get("title"):
            raise forms.ValidationError(
                "Name a series that is there, or give a title for a new one."
            )
        return values


class RenameForm(forms.Form):
    """How the files of a series are to be called."""

    template = forms.CharField(max_length=300, initial=DEFAULT_TEMPLATE)

    def clean_template(self) -> str:
        template = str(self.cleaned_data["template"])
        try:
            check_template(template)
        except TemplateError as error:
            raise forms.ValidationError(str(error)) from error
        return template


class WantedForm(forms.Form):
    """Episodes that are wanted from now on, or not: those ticked, or a whole season."""

    wanted = forms.TypedChoiceField(
        choices=[("1", "wanted"), ("0", "not wanted")],
        coerce=lambda value: value == "1",
    )
    season = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    episodes = IdsField(required=False)
    whole = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors and not values.get("episodes") and not values.get("whole"):
            raise forms.ValidationError("Tick at least one episode first.")
        return values
