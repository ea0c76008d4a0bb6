"""The report, the index and the page of people in a real browser: Chromium, where it and selenium are installed."""

from __future__ import annotations

import itertools
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processors.batch.batch_summary import BatchSummary
from processors.batch.index_writer import write_index
from processors.batch.input_result import InputResult
from processors.pages.people_page import PageClip, PagePair, PagePerson, PageVideo, people_parts
from processors.pages.report_writer import FaceImage, ReportImages, report_parts
from tests.material.flash_beep import frame_times, write_video
from tests.material.page_material import HOSTILE, a_manifest, a_timeline, as_manifest, as_timeline
from utils.files import write_bytes, write_json, write_parts, write_text
from utils.images.rgb_images import encode_jpeg

BROWSER = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--mute-audio", "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
PERSON = "a \"b\" 'c' <i>#1?%41&amp;"
"""a folder name full of characters that have a meaning in URLs, HTML or the shell"""

PLAY_TIMEOUT_S = 20.0

webdriver = pytest.importorskip("selenium.webdriver", reason="missing on this machine: selenium")
NO_BROWSER = "missing on this machine: chromium and chromedriver"
pytestmark = [pytest.mark.skipif(BROWSER is None or DRIVER is None, reason=NO_BROWSER), pytest.mark.slow]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with one video, whose names are hostile and whose clips are real, and a failure."""
    output = tmp_path_factory.mktemp("output")
    folder = output / "video"
    manifest = a_manifest(name=HOSTILE, person=PERSON)
    for clip in manifest["clips"]:
        (folder / clip["file"]).parent.mkdir(parents=True, exist_ok=True)
        write_video(folder / clip["file"], frame_times())
    face = encode_jpeg(np.full((64, 64, 3), 90, np.uint8), 80)
    write_bytes(folder / PERSON / "face.jpg", face)
    images = ReportImages(
        {PERSON: [FaceImage(0, face), FaceImage(1, face)]}, {manifest["clips"][0]["file"]: face}, {3: face}
    )
    parts = report_parts(as_manifest(manifest), as_timeline(a_timeline()), images, folder="video")
    write_parts(folder / "report.html", parts)
    write_json(folder / "manifest.json", manifest)
    failure = InputResult(HOSTILE, "other", "failed", HOSTILE)
    write_index(output, BatchSummary((InputResult("a", "video", "done"), failure), 1.0))
    write_text(output / "people.html", "".join(people_page(face)))
    return output


def people_page(face: bytes) -> Iterator[str]:
    """Ten people, one of whom has a hostile name, and two pairs who may be one."""
    clip = PageClip(f"video/{PERSON}/clip #1?.mp4", 3.2, 6.4)
    videos = (PageVideo("video", HOSTILE, PERSON, 9.0, (clip,)),)
    people = [PagePerson("P0001", HOSTILE, [face, face], videos, 1)]
    people += [PagePerson(f"P{number:04}", "", [face], videos, 0) for number in range(2, 10)]
    people += [PagePerson("P0010", "José", [face], (*videos, PageVideo("more", "more", "José", 3.0, ())), 0)]
    pairs = [
        PagePair("P0001", HOSTILE, face, "P0002", "", face, 0.62),
        PagePair("P0003", "", face, "P0004", "", b"", 0.31),
    ]
    return people_parts(people, len(people), pairs, place_flags="-o '/out put'")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def show(browser: Any, output: Path) -> Iterator[Callable[..., Any]]:
    """Opens a page; fails after the test if the browser has logged anything."""

    def show(page: str | Path, width: int = 1280, dark: bool = False) -> Any:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        browser.get((output / page).as_uri())
        return browser

    browser.get_log("browser")
    yield show
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def wait_for(browser: Any, script: str) -> None:
    """Wait until the JavaScript expression `script` is true."""
    deadline = time.monotonic() + PLAY_TIMEOUT_S
    while not browser.execute_script(f"return Boolean({script})"):
        assert time.monotonic() < deadline, f"never true: {script}"
        time.sleep(0.05)


def test_everything_is_on_the_page(show):
    page = show("video/report.html")
    count = "return [...arguments].map((selector) => document.querySelectorAll(selector).length)"
    selectors = (
        ".clip video",
        ".lane a",
        ".shot",
        ".seen",
        ".who",
        ".person",
        ".brief li",
        ".notes li",
        "details",
        ".faces li",
        ".badge.doubtful",
        ".unknown img",
        ".command",
    )
    assert page.execute_script(count, *selectors) == [2, 2, 2, 3, 4, 1, 1, 1, 2, 1, 1, 1, 3]
    assert page.find_element("css selector", "h2[id$=name]").text == f"{PERSON} doubtful"
    assert page.find_element("css selector", "h1").text == " ".join(HOSTILE.split())


@pytest.mark.parametrize("page", ["video/report.html", "index.html", "people.html"])
def test_names_do_not_execute_and_nothing_is_fetched(show, page):
    browser = show(page)
    assert "pwned" not in browser.title or "document.title" in browser.title
    assert browser.execute_script("return document.scripts.length") == 1
    assert browser.execute_script("return [...document.images].filter((i) => i.src.endsWith('x')).length") == 0
    assert not browser.execute_script("return document.querySelector('[onerror], [onmouseover], i')")
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(name.startswith(("file:", "data:")) for name in fetched)


def test_what_the_policy_forbids_does_not_run(show, browser):
    show("video/report.html")
    browser.execute_script(
        "const s = document.createElement('div'); s.innerHTML = '<img src=\"data:,\" onerror=\"window.pwned = 1\">';"
        "document.body.append(s)"
    )
    complaints: list[str] = []
    deadline = time.monotonic() + PLAY_TIMEOUT_S
    while not complaints and time.monotonic() < deadline:
        complaints = [entry["message"] for entry in browser.get_log("browser")]
    assert browser.execute_script("return window.pwned") is None
    assert len(complaints) == 1 and "Content Security Policy" in complaints[0]


def test_choosing_a_stretch_plays_its_clip_with_its_audio(show):
    page = show("video/report.html")
    page.find_elements("css selector", ".lane a")[1].click()
    second = "document.querySelectorAll('.clip video')[1]"
    wait_for(page, f"{second}.currentTime > 0.3 && {second}.webkitAudioDecodedByteCount > 0")
    assert page.execute_script(f"return document.activeElement === {second}")
    assert page.execute_script(f"return {second}.closest('.clip').classList.contains('playing')")
    wait_for(page, "document.querySelector('.playhead').getAttribute('x1')")
    x = float(page.find_element("css selector", ".playhead").get_attribute("x1").rstrip("%"))
    assert 100 * 7.0 / 12.8 < x < 100 * 12.0 / 12.8


def test_one_clip_plays_at_a_time(show):
    page = show("video/report.html")
    for number in (0, 1):
        page.execute_script("document.querySelectorAll('.clip video')[arguments[0]].play()", number)
        wait_for(page, f"document.querySelectorAll('.clip video')[{number}].currentTime > 0.1")
    assert page.execute_script("return document.querySelectorAll('.clip video')[0].paused")
    assert len(page.find_elements("css selector", ".clip.playing")) == 1


def test_the_keyboard_is_enough(show):
    page = show("video/report.html")
    keys = webdriver.common.keys.Keys
    page.switch_to.active_element.send_keys(keys.TAB)
    assert page.switch_to.active_element.text == "Skip to the people"
    for _ in range(60):
        page.switch_to.active_element.send_keys(keys.TAB)
        if page.execute_script("return document.activeElement.matches('.lane a')"):
            break
    page.switch_to.active_element.send_keys(keys.ENTER)
    wait_for(page, "document.querySelector('.clip video').currentTime > 0.1")


@pytest.mark.parametrize("page", ["video/report.html", "index.html", "people.html"])
@pytest.mark.parametrize("width", [360, 768, 1600])
def test_it_fits_every_screen(show, page, width):
    browser = show(page, width)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_light_and_dark(show):
    color = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    light = show("video/report.html", dark=False).execute_script(color)
    dark = show("video/report.html", dark=True).execute_script(color)
    assert min(light) > 200 and max(dark) < 60


def test_a_clip_that_is_gone_says_so(show, browser, output):
    report = (output / "video/report.html").read_text().replace("clip_2.mp4", "gone.mp4")
    write_text(output / "video/other.html", report)
    page = show("video/other.html")
    page.execute_script("document.querySelectorAll('.clip video')[1].play().catch(() => {})")
    wait_for(page, "document.querySelector('.clip.broken')")
    assert "cannot be played" in page.find_element("css selector", ".clip.broken").text
    browser.get_log("browser")  # which does complain about the file


def test_the_timeline_grows(show):
    page = show("video/report.html")
    width = "return document.querySelector('.lanes').clientWidth"
    before = page.execute_script(width)
    page.find_elements("css selector", ".zoom button")[1].click()
    assert page.execute_script(width) == pytest.approx(2 * before, rel=0.05)


def test_the_index_leads_to_the_report(show, output):
    page = show("index.html")
    assert HOSTILE.split("/")[-1].split()[0] in page.find_element("css selector", ".problems").text
    page.find_element("css selector", ".videos a").click()
    wait_for(page, "document.querySelector('.clip')")
    assert page.current_url == (output / "video/report.html").as_uri()
    page.find_element("link text", "ALL VIDEOS").click()
    wait_for(page, "document.querySelector('.videos')")
    assert page.find_element("css selector", ".strip span").text == PERSON


def test_an_answer_is_a_command(show):
    page = show("people.html")
    pair = page.find_elements("css selector", ".pair")[0]
    said = zip(*(pair.find_elements("css selector", part) for part in ("dt", "dd .command")), strict=True)
    # Whose name stays comes second.
    assert {answer.text: command.text for answer, command in said} == {
        "one": ".venv/bin/python main.py link P0002 P0001 -o '/out put'",
        "two": ".venv/bin/python main.py unlink P0002 P0001 -o '/out put'",
    }


def test_commands_of_a_report_name_the_folder_in_which_it_lies_now(show, output, tmp_path):
    def assign(page: Path) -> list[str]:
        return shlex.split(show(page).find_element("css selector", ".unknown .command").text)

    arguments = [".venv/bin/python", "main.py", "assign", "video", PERSON, "--tracklets", "3"]
    assert assign(output / "video/report.html") == [*arguments, "-o", str(output)]
    moved = tmp_path / "it's #1 & 100%"
    shutil.copytree(output, moved)
    assert assign(moved / "video/report.html") == [*arguments, "-o", str(moved)]
    (moved / "video").rename(moved / "renamed")
    assert assign(moved / "renamed/report.html") == arguments


def test_the_page_of_people_says_how_to_correct_them(show):
    page = show("people.html", width=360)
    page.find_element("css selector", "details summary").click()
    commands = [code.text for code in page.find_elements("css selector", ".corrections .command")]
    assert [shlex.split(command)[2] for command in commands] == ["unlink", "link", "name", "forget"]
    assert all(command.endswith(" -o '/out put'") for command in commands)
    assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_commands_are_copied_by_a_button(show, browser):
    page = show("people.html")
    browser.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    button = page.find_element("css selector", ".pair .copy")
    button.send_keys(webdriver.common.keys.Keys.ENTER)
    wait_for(page, "document.querySelector('.pair .copy').textContent === 'Copied'")
    copied = page.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == ".venv/bin/python main.py link P0002 P0001 -o '/out put'"
    # As in browsers that do not let a page from a disk write to the clipboard.
    page.execute_script("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    page.find_elements("css selector", ".pair .copy")[1].click()
    wait_for(page, "document.querySelectorAll('.pair .copy')[1].textContent === 'Copied'")
    copied = page.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == ".venv/bin/python main.py unlink P0002 P0001 -o '/out put'"


def test_a_turn_plays_its_clip_from_there(show, output):
    timeline = a_timeline()
    timeline["people"] = [{"name": PERSON, "tracklets": [0, 1], "segments": [], "speaks": [[0.5, 1.0], [8.0, 9.0]]}]
    manifest = a_manifest(person=PERSON)
    manifest["people"][0] |= {"turns": 2, "speaks_s": 1.5}
    write_parts(
        output / "video" / "speech.html", report_parts(as_manifest(manifest), as_timeline(timeline), ReportImages())
    )
    page = show("video/speech.html", width=360)
    page.find_element("css selector", "details summary").click()
    first, second = page.find_elements("css selector", ".turns a")
    assert first.get_attribute("href").endswith("#person-1")
    assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    second.click()
    wait_for(page, "document.querySelectorAll('.clip video')[1].currentTime > 1.0")
    assert page.execute_script("return document.activeElement === document.querySelectorAll('.clip video')[1]")


def test_later_puts_a_pair_aside(show):
    page = show("people.html", width=360)
    first, second = page.find_elements("css selector", ".pair")
    first.find_element("css selector", ".later").click()
    assert not first.is_displayed() and second.is_displayed()
    assert page.switch_to.active_element == second.find_element("css selector", ".later")
    second.find_element("css selector", ".later").click()
    assert not page.find_element("id", "pairs-title").is_displayed()


def test_people_are_found_by_words(show):
    page = show("people.html")
    page.find_element("id", "find").send_keys("p0007")
    shown = [card for card in page.find_elements("css selector", ".people > li") if card.is_displayed()]
    assert [card.get_attribute("id") for card in shown] == ["P0007"]


def test_accents_do_not_matter_and_the_number_of_those_found_is_said(show):
    page = show("people.html")
    said = page.find_element("css selector", ".find [role=status]")
    assert said.text == ""
    for words, count in (("jose", "1 of 10"), ("JOSÉ p0010", "1 of 10"), ("jose p0007", "none of 10"), ("", "")):
        box = page.find_element("id", "find")
        page.execute_script("arguments[0].value = arguments[1]", box, words)
        box.send_keys(" ")
        assert said.text == count


def test_people_can_be_put_in_another_order(show):
    page = show("people.html", width=360)

    def first_two(order: str) -> list[str]:
        chosen = "order.value = arguments[0]; order.dispatchEvent(new Event('change'))"
        page.execute_script(chosen, order)
        ids = "return [...document.querySelectorAll('.people > li')].slice(0, 2).map((li) => li.id)"
        return list(page.execute_script(ids))

    assert first_two("seconds") == first_two("videos") == ["P0010", "P0001"]
    assert first_two("name") == ["P0002", "P0003"]
    assert first_two("") == ["P0001", "P0002"]
    assert page.execute_script("return document.documentElement.scrollWidth") <= 360


def test_many_pairs_do_not_push_the_people_out_of_sight(show, tmp_path):
    face = encode_jpeg(np.full((64, 64, 3), 90, np.uint8), 80)
    pairs = [PagePair(f"P{n:04}", "", face, f"P{n + 1:04}", "", face, 0.5) for n in range(1, 9)]
    (tmp_path / "people.html").write_text("".join(people_parts([], 0, pairs)), encoding="utf-8")
    page = show(tmp_path / "people.html")

    def shown() -> list[int]:
        return [n for n, pair in enumerate(page.find_elements("css selector", ".pair")) if pair.is_displayed()]

    more = page.find_element("css selector", ".more")
    assert shown() == [0, 1, 2, 3, 4, 5] and more.text == "Show all 8 pairs"
    page.find_elements("css selector", ".pair .later")[0].click()
    assert shown() == [1, 2, 3, 4, 5, 6], "each that is put aside makes room for the next"
    more.click()
    assert shown() == [1, 2, 3, 4, 5, 6, 7] and not more.is_displayed()


@pytest.mark.parametrize("word", ["python", "give", "name:"])
def test_words_of_the_commands_find_nobody(show, word):
    page = show("people.html")
    page.find_element("id", "find").send_keys(word)
    assert not any(card.is_displayed() for card in page.find_elements("css selector", ".people > li"))


def test_a_pair_leads_to_people_that_the_search_had_hidden(show):
    page = show("people.html")
    page.find_element("id", "find").send_keys("p0007")
    page.find_element("css selector", ".pair a[href='#P0004']").click()
    wait_for(page, "!document.getElementById('P0004').hidden")
    assert page.find_element("id", "find").get_attribute("value") == ""


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_no_line_of_a_command_ends_within_a_flag(show, width):
    page = show("people.html", width=width)
    heights = page.execute_script(
        "return [...document.querySelectorAll('.command .flag')].map((flag) => flag.getClientRects().length)"
    )
    assert len(heights) >= 4 and set(heights) == {1}


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_times_under_the_timeline_do_not_overlap(show, output, width):
    manifest = a_manifest(person=PERSON)
    manifest["video"]["duration_s"] = 4.9
    parts = report_parts(as_manifest(manifest), as_timeline(a_timeline()), ReportImages())
    write_parts(output / "video" / "short.html", parts)
    page = show("video/short.html", width=width)
    boxes = page.execute_script(
        "return [...document.querySelectorAll('.lane.short text')].map((text) => text.getBoundingClientRect())"
        ".filter((box) => box.width).map((box) => [box.left, box.right])"
    )
    assert len(boxes) >= 4
    assert all(right < left for (_, right), (left, _) in itertools.pairwise(boxes))


def test_a_pair_leads_to_its_people(show):
    page = show("people.html", width=360)
    page.find_element("css selector", ".pair a[href='#P0004']").click()
    assert page.execute_script("return document.querySelector(':target').id") == "P0004"
