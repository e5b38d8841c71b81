"""What the pages of downloads send."""

from __future__ import annotations

from typing import Any

from django import forms

from aniworld_site.downloads.models import Download, Queue, Source, SourceSeries
from aniworld_site.downloads.providers.registry import get_provider_types
from aniworld_site.library.destinations import TemplateError, check_template
from aniworld_site.library.models import Episode, Series

PAUSES = (5, 15, 30, 60, 180, 360)
NOT_THERE = "One of them is not in the list any more. Reload the page."
BEYOND = 1 << 63
"""What no database's integers hold."""


class TickedField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # Not subscriptable when it runs.
    """Ticked rows by their primary keys."""

    def clean(self, value: Any) -> Any:
        # Django looks out for numbers that are too large for SQLite where there is one, and not where there are several.
        if isinstance(value, (list, tuple)) and any(map(_is_beyond, value)):
            raise forms.ValidationError(NOT_THERE, code="invalid_choice")
        return super().clean(value)


def _is_beyond(value: Any) -> bool:
    try:
        return not -BEYOND <= int(value) < BEYOND
    except (TypeError, ValueError):
        return False


class DownloadsForm(forms.Form):
    """Ticked downloads."""

    downloads = TickedField(
        Download.objects.all(),
        error_messages={
            "required": "Tick at least one download.",
            "invalid_choice": NOT_THERE,
            "invalid_pk_value": NOT_THERE,
        },
    )


class MoveForm(DownloadsForm):
    """Downloads that are put before another; without one they come last."""

    before = forms.ModelChoiceField(Download.objects.live(), required=False)


class PauseForm(forms.Form):
    minutes = forms.IntegerField(min_value=1, max_value=7 * 24 * 60, required=False)


class LimitsForm(forms.ModelForm):  # type: ignore[type-arg]  # As above.
    class Meta:
        model = Queue
        fields = ("concurrency", "limit_kib_per_s")


class QueueSettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # As above.
    class Meta:
        model = Queue
        fields = ("floor_mib", "template", "writes_nfo")

    def clean_template(self) -> str:
        template = str(self.cleaned_data["template"])
        try:
            check_template(template)
        except TemplateError as error:
            raise forms.ValidationError(str(error)) from error
        return template


class EpisodesForm(forms.Form):
    """Ticked episodes."""

    episodes = TickedField(
        Episode.objects.select_related("season__series"),
        error_messages={
            "required": "Tick at least one episode.",
            "invalid_choice": NOT_THERE,
            "invalid_pk_value": NOT_THERE,
        },
    )


class SourceAddForm(forms.Form):
    """A source that is tested or added."""

    url = forms.CharField(max_length=2_000, strip=True, label="address")
    name = forms.CharField(max_length=80, required=False)
    kind = forms.ChoiceField(required=False)
    username = forms.CharField(max_length=200, required=False)
    password = forms.CharField(max_length=500, required=False, strip=False)
    is_private = forms.BooleanField(required=False)
    cookies = forms.CharField(max_length=1_000, required=False)
    format = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(name, kind.label) for name, kind in get_provider_types().items()]
        self.fields["kind"].choices = [("", "found out"), *kinds]  # type: ignore[attr-defined]  # It is a choice field.


class SourceEditForm(forms.ModelForm):  # type: ignore[type-arg]  # As above.
    class Meta:
        model = Source
        fields = (
            "is_enabled",
            "private_hosts",
            "queues_new",
            "every_minutes",
            "concurrency",
            "delay_s",
            "limit_kib_per_s",
            "retries",
        )


class LinkForm(forms.Form):
    """A listed series, and which of the library it is."""

    listed = forms.ModelChoiceField(SourceSeries.objects.all())
    series = forms.ModelChoiceField(Series.objects.all(), to_field_name="key")
