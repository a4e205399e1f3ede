"""What `make linkcheck` makes of the answers: a dead link is one thing, no network another (tools/docs/links.py)."""

import json

import pytest

from tools.docs import links

NO_NAME = (
    "HTTPSConnectionPool(host='a.example', port=443): ... NameResolutionError(... Name or service not known)"
)
GONE = "404 Client Error: Not Found for url: https://b.example/gone"


@pytest.fixture
def told(tmp_path):
    """Exit code and text for links that ended so: pairs of status and what Sphinx says."""

    def tell(*ends):
        rows = [
            {"filename": "docs/page.md", "lineno": 7, "status": status, "code": 0, "uri": uri, "info": info}
            for status, uri, info in ends
        ]
        path = tmp_path / "output.json"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        code, lines = links.report(links.read(path))
        return code, "\n".join(lines)

    return tell


def test_all_links_lead_somewhere(told):
    inside = ("unchecked", "endpoints.md#nat", ""), ("ignored", "http://127.0.0.1:8001/", "")
    code, text = told(
        ("working", "https://a.example/", ""), ("redirected", "https://b.example/", ""), *inside
    )
    assert (code, text) == (0, "2 links to others: 2 asked, 0 dead, 0 not reached")


def test_a_dead_link_is_named_with_its_place(told):
    code, text = told(("working", "https://a.example/", ""), ("broken", "https://b.example/gone", GONE))
    assert code == links.DEAD and "DEAD LINKS, 1:" in text
    assert "docs/page.md:7: https://b.example/gone: 404 Client Error" in text and "NETWORK" not in text


def test_without_a_network_no_link_is_called_dead(told):
    code, text = told(
        ("broken", "https://a.example/x", NO_NAME), ("timeout", "https://c.example/", "timed out")
    )
    assert code == links.NO_NETWORK
    assert "THE NETWORK IS NOT THERE: nobody was reached" in text and "DEAD" not in text
    assert "2 links to others: 0 asked, 0 dead, 2 not reached" in text and "a.example c.example" in text


def test_some_that_nobody_could_ask_about(told):
    code, text = told(("working", "https://a.example/", ""), ("broken", "https://b.example/", NO_NAME))
    assert code == links.NO_NETWORK and "NOT REACHED" in text and "NETWORK IS NOT THERE" not in text


def test_a_dead_link_counts_where_others_were_not_reached(told):
    code, text = told(("broken", "https://a.example/", NO_NAME), ("broken", "https://b.example/gone", GONE))
    assert code == links.DEAD and "DEAD LINKS, 1:" in text and "NOT REACHED" in text
    assert "Anchor 'x' not found" in told(("broken", "https://a.example/#x", "Anchor 'x' not found"))[1]
