"""Theme and language are changed from any page, and lead back to one that can be opened."""

import re

import pytest

from tests.factories import InstanceFactory, a_person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("asked", ["/agents/install/", "/readiness/check/"])
def test_from_a_page_that_only_answers_a_form_they_lead_to_its_list(client, asked):
    client.force_login(a_person("operator"))
    machines = [InstanceFactory().pk, InstanceFactory().pk]
    page = client.post(asked, {"instance": machines, "keep": "picked"})
    assert page.status_code == 200
    there = set(re.findall(r'name="next" value="([^"]+)"', page.text))
    assert len(there) == 1
    chosen = {"language": "zh-hans", "theme": "dark", "next": there.pop()}
    for switch in ("/language/", "/theme/"):
        assert client.post(switch, chosen, follow=True).status_code == 200


def test_from_any_other_page_they_lead_back_to_it(client):
    client.force_login(a_person("operator"))
    page = client.get("/runs/?state=running").text
    assert 'name="next" value="/runs/?state=running"' in page
