"""Web addresses: which lead to a person, and which are public."""

import pytest

from bioinstruct_dagster.curation.privacy.kinds import resolve_overlaps
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.web_addresses import url_spans


def found(text: str, *names: str) -> list[str]:
    spans = resolve_overlaps(url_spans(ScannedText(text), names))
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    "address",
    [
        "https://www.linkedin.com/in/h-finch", "instagram.com/hfinch", "https://a.org/~finch",
        "http://portal.cityclinic.com/record?id=5", "https://clinic.gov/patients/8812",
        "www.myrecovery.blogspot.com/day-3", "https://nice.org.uk/mychart/7",
    ],
)  # fmt: skip
def test_profiles_records_and_blogs_are_a_persons(address):
    assert found(f"See {address}.") == [address]


@pytest.mark.parametrize(
    "address",
    [
        "https://www.who.int/news/item/1", "https://www.nhs.uk/conditions", "www.health.gov.au/a",
        "https://www.ox.ac.uk/people", "https://jamanetwork.com/journals", "www.uptodate.com",
        "https://academic.oup.com/bja", "https://sciencemag.org/a", "https://example.org/a",
    ],
)  # fmt: skip
def test_public_sites_are_nobodys(address):
    assert found(f"See {address}.") == []


def test_a_name_or_a_cue_makes_an_address_somebodys():
    assert found("See https://harold-finch.net", "Finch") == ["https://harold-finch.net"]
    assert found("See https://harold-finch.net", "Reese") == []
    assert found("His homepage is www.birdland.net") == ["www.birdland.net"]
