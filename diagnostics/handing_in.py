"""The forms by which people hand evidence in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from diagnostics.models import KINDS
from diagnostics.uploads import Offer


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; cleaned to a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        offered = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(FilesField, self).clean(each, initial) for each in offered]


class EvidenceForm(forms.Form):
    files = FilesField(
        label=_("Files"),
        required=False,
        allow_empty_file=False,
        help_text=_(
            "Logs as text, vmcore-dmesg.txt, console logs, journal exports, System.evtx, printed"
            " Windows events, or what the script printed; also in gzip or zip."
        ),
        error_messages={"empty": _("“%(name)s” is empty: a file with content is needed.")},
    )
    text = forms.CharField(
        label=_("Or paste a text"),
        required=False,
        strip=False,
        max_length=settings.PASTE_MOST,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        error_messages={
            "max_length": _(
                "The text has %(show_value)s characters; at most %(limit_value)s are allowed."
                " Hand it in as a file."
            )
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        files, text = self.fields["files"].widget, self.fields["text"].widget
        files.attrs |= {"class": "form-control", "data-most": settings.UPLOAD_MOST}
        text.attrs |= {"class": "form-control"}
        for name in ("files", "text"):
            self.fields[name].widget.attrs["aria-describedby"] = f"{name}-told"

    def clean_files(self) -> list[UploadedFile]:
        files = self.cleaned_data["files"]
        if len(files) > settings.UPLOAD_FILES_MOST:
            raise forms.ValidationError(
                _("At most %(most)s files at once are allowed; pack them with zip."),
                params={"most": settings.UPLOAD_FILES_MOST},
            )
        return files

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        told = cleaned.get("files") or (cleaned.get("text") or "").strip()
        if not told and not self.errors:
            self.add_error("files", _("Choose a file or paste a text."))
        return cleaned

    def offers(self) -> list[Offer]:
        """What diagnostics.uploads.hand_in takes."""
        found = [Offer(file.name, file.read()) for file in self.cleaned_data["files"]]
        text = self.cleaned_data["text"].replace("\r\n", "\n")  # browsers send a form's lines so
        if text.strip():
            found.append(Offer(str(_("pasted text")), text.encode("utf-8", "replace"), True))
        return found


class KindForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Kind"), choices=KINDS, widget=forms.Select(attrs={"class": "form-select"})
    )
