"""The panel, in Chromium; and what a forged request gets."""

import os
import re
import shutil

import pytest
from playwright.sync_api import sync_playwright

from peers.process import MissingPeer
from service.running import LIMIT, PASSWORD

#: Pictures for docs/service.md are written here, where SIPBRIDGE_SCREENSHOTS names a folder.
MILLISECONDS = LIMIT * 1000


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, without a window."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise MissingPeer("chromium is missing: apt-get install chromium, brew install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, service):
    """A page where the panel's user has logged in."""
    page = browser.new_page(base_url=service.url, viewport={"width": 1280, "height": 800})
    page.set_default_timeout(MILLISECONDS)
    page.goto("/admin/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    yield page
    page.close()


@pytest.fixture
def picture(request, page):
    """Takes a picture of the page, where that is asked for."""

    def take(name):
        if os.environ.get("SIPBRIDGE_SCREENSHOTS"):
            page.screenshot(path="%s/%s.png" % (os.environ["SIPBRIDGE_SCREENSHOTS"], name))

    return take


def test_calls_are_searched_looked_at_and_hung_up(service, telephone, page, picture):
    id = service.api.post("/calls", json={"to": telephone.uri("anna")}).json()["id"]
    service.wait_call(id, state="answered")
    service.api.post("/calls", json={"to": telephone.uri("busy")})

    def listed():
        page.goto("/admin/call/list?search=anna")
        return page.locator("tbody tr").count() == 1

    for _ in range(100):
        if listed():
            break
    assert listed()
    page.goto("/admin/call/list")
    picture("calls")
    page.goto("/admin/call/details/" + id)
    ladder = page.locator("img[alt*=ladder]")
    assert ladder.evaluate("image => image.complete && image.naturalWidth") > 100
    picture("call")
    page.click("text=Hang up")
    assert service.wait_call(id, state="ended")["cause"] == "local-bye"
    page.goto("/admin/audit/list")
    assert page.locator("text=hang up the call " + id).count() == 1
    picture("audit")


def test_trunks_and_incidents_are_seen_and_a_number_erased(service, telephone, page, picture):
    folder = service.folder / "incidents" / "20261127T000000Z-handler-failed-0123ab"
    folder.mkdir(parents=True)
    (folder / "incident.json").write_text("{}")
    service.api.put("/trunks/provider", json={"address": "sip:1@127.0.0.1:9", "registrar": "sip:127.0.0.1:9"})
    page.goto("/admin/operations")
    picture("operations")
    with page.expect_download() as download:
        page.click("text=" + folder.name)
    assert download.value.suggested_filename == folder.name + ".zip"
    service.wait_call(
        service.api.post("/calls", json={"to": telephone.uri("busy")}).json()["id"], state="ended"
    )
    page.fill("input[name=number]", telephone.uri("busy"))
    page.click("button:has-text('Erase')")
    page.wait_for_url("**/admin/operations")
    assert service.api.get("/calls", params={"party": "busy"}).json()["calls"] == []
    assert [row[0] for row in service.rows("SELECT what FROM audit ORDER BY id")][-1] == (
        "erase the records of a number"
    )


def test_a_page_of_somebody_else_can_do_nothing(service, telephone, page, browser, tmp_path):
    id = service.api.post("/calls", json={"to": telephone.uri("alice")}).json()["id"]
    service.wait_call(id, state="answered")
    form = '<form method="post" action="%s/admin/%s"><input name="do" value="register"><button>go</button></form>'
    for action in ("hang-up/" + id, "drain", "erase", "registration/provider"):
        status = page.request.post(
            "/admin/" + action, form={"number": "1"}
        ).status  # with the session, without the token
        assert status == 403, action
        assert page.request.post("/admin/" + action, form={"csrf": "guessed"}).status == 403
        (tmp_path / "forged.html").write_text(form % (service.url, action))
        page.goto("file://%s" % (tmp_path / "forged.html"))
        page.click("button")  # from another site the cookie does not come along: the log-in is asked for
        assert "/admin/login" in page.url or "not of your session" in page.content()
    assert service.wait_call(id, state="answered")
    for path in ("call/delete?pks=" + id, "call/edit/" + id, "call/create"):
        method = page.request.delete if "delete" in path else page.request.post
        assert method(service.url + "/admin/" + path).status in (302, 403, 404, 405), path
    assert service.api.get("/health/ready").status_code == 200
    service.api.delete("/calls/" + id)


def test_a_cookie_is_worth_nothing_after_the_log_out(service, page):
    cookies = page.context.cookies()
    page.goto("/admin/logout")
    page.context.add_cookies(cookies)
    page.goto("/admin/operations")
    assert "/admin/login" in page.url


def test_a_list_for_a_table_program_has_nothing_that_a_peer_words(service, telephone, page):
    service.wait_call(
        service.api.post("/calls", json={"to": telephone.uri("busy")}).json()["id"], state="ended"
    )
    exported = page.request.get("/admin/call/export/csv")
    assert exported.status == 200
    assert exported.text().splitlines()[0] == "started_at,direction,caller,callee,state,cause,seconds"
    assert page.request.get("/admin/trunk/export/csv").status in (403, 404)


def test_a_wrong_password_does_not_let_in(browser, service):
    page = browser.new_page(base_url=service.url)
    page.goto("/admin/login")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "guess")
    page.click("button[type=submit]")
    assert page.locator("text=Invalid credentials").count()
    for path in ("/admin/call/list", "/admin/operations", "/admin/ladder/1", "/admin/incident/1"):
        page.goto(path)
        assert re.search("/admin/login", page.url), path
    page.close()
