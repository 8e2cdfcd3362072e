"""A body that is too large is refused by its length, unread, with a page that says so."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import CaseFactory, a_person

pytestmark = pytest.mark.django_db
GIGABYTE = 1 << 30


class Unread(io.RawIOBase):
    """A body that must not be touched."""

    def read(self, *args):
        raise AssertionError("the body was read")


def announced(client, path: str, length: int):
    return client.generic(
        "POST",
        path,
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(length),
        **{"wsgi.input": Unread()},
    )


@pytest.fixture
def case(client):
    support = a_person("support")
    client.force_login(support)
    return CaseFactory()


def test_a_gigabyte_for_a_case_is_refused_unread_and_the_page_names_the_limit(client, case):
    answer = announced(client, f"/cases/{case.pk}/by-hand/", GIGABYTE)
    page = answer.content.decode()
    assert answer.status_code == 413
    assert "What you sent has 1024 MB; this page takes at most 64 MB at once." in page
    assert not case.evidence.exists()


def test_a_page_without_files_takes_a_forms_worth(client, case):
    answer = announced(client, f"/cases/{case.pk}/judge/", 20 << 20)
    assert answer.status_code == 413 and "at most 3 MB" in answer.content.decode()


def test_a_length_that_is_none_is_no_error_page(client, case):
    answer = client.post(f"/cases/{case.pk}/judge/", CONTENT_LENGTH="many")
    assert answer.status_code in (302, 400, 403)


def test_a_paste_beyond_the_limit_names_its_field(client, case, settings):
    url = f"/cases/{case.pk}/by-hand/"
    answer = client.post(url, {"text": "x" * (settings.PASTE_MOST + 1)})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "The text has 4000001 characters; at most 4000000 are allowed." in page
    answer = client.post(url, {"text": "x" * (17 << 20)})
    assert answer.status_code == 413
    assert "The text has more than 16 MB. Hand it in as a file." in answer.content.decode()


def test_too_many_files_are_refused_by_number(client, case, settings):
    files = [SimpleUploadedFile(f"{n}.log", b"x") for n in range(21)]
    url = f"/cases/{case.pk}/by-hand/"
    answer = client.post(url, {"files": files})
    assert answer.status_code == 400 and "At most 20 files" in answer.content.decode()
    answer = client.post(url, {"files": files * 3})
    assert answer.status_code == 413 and "at most 20 at once" in answer.content.decode()
