"""A download holds the values, and nothing that a spreadsheet would run."""

import csv
import io

import pytest
from django.test import RequestFactory

from instances.models import Instance
from portal import lists
from tests.factories import InstanceFactory

pytestmark = pytest.mark.django_db
COLUMNS = {"ID": lambda row: row.instance_id, "Name": lambda row: row.name}


def download() -> list[list[str]]:
    answer = lists.csv(
        RequestFactory().get("/"), Instance.objects.all(), COLUMNS, name="x", order=("name",)
    )
    text = b"".join(answer).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r\n=1"])
def test_a_formula_becomes_text(name):
    InstanceFactory(name=name)
    assert download()[1][1] == f"'{name}"


def test_rows_stand_in_order_with_their_heading():
    InstanceFactory(name="b", instance_id="i-2")
    InstanceFactory(name='a,"quoted"\nline', instance_id="i-1")
    assert download() == [["ID", "Name"], ["i-1", 'a,"quoted"\nline'], ["i-2", "b"]]


def test_numbers_stay_numbers():
    assert lists.cell(-5) == -5 and lists.cell(None) == ""
