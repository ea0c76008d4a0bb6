"""Text and links of the report page; `test_pages_in_browser.py` opens it in a browser."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shlex
from typing import Any

import pytest

from processors.pages.html_page import content_policy, data_uri, render_page
from processors.pages.report_writer import FaceImage, ReportImages, report_parts
from processors.results.manifest import Manifest
from processors.results.timeline_file import TimelineFile
from tests.material.allocated_memory import allocated_memory
from tests.material.page_material import HOSTILE, a_manifest, a_timeline, as_manifest, as_timeline
from utils.urls import href

JPEG = b"\xff\xd8\xff\xe0jpeg"


@pytest.fixture
def manifest() -> dict[str, Any]:
    return a_manifest()


def html_of(manifest: Manifest, timeline: TimelineFile, images: ReportImages, **options: str) -> str:
    return "".join(report_parts(manifest, timeline, images, **options))


def page(manifest: dict[str, Any], **images: Any) -> str:
    return html_of(as_manifest(manifest), as_timeline(a_timeline()), ReportImages(**images))


def test_it_says_who_when_and_how_long(manifest):
    text = page(manifest)
    plain = html.unescape(re.sub(r"<[^>]+>", " ", text))
    for words in (
        "0:12.8",
        "960×540",
        "29.97 fps",
        "audio: aac",
        "person_01",
        "0:09.0 on screen (70 % of the video)",
    ):
        assert words in " ".join(plain.split()), words
    assert "still image" in plain and "Seen too briefly" in plain
    assert "1 person 1 more without a clip 2 clips" in " ".join(plain.split())
    # Settings are explained.
    assert "face height as a fraction of the clip height" in plain
    assert "damaged parts" in plain and "face_share" in plain and "0.45" in plain


@pytest.mark.parametrize(("folder", "up"), [("interview", "../"), ("2024/may/interview", "../../../")])
def test_it_leads_to_the_index_of_its_output_folder(manifest, folder, up):
    text = html_of(as_manifest(manifest), as_timeline(a_timeline()), ReportImages(), folder=folder)
    assert f'<a href="{up}index.html">All videos</a>' in text


def test_where_nobody_has_a_clip_nobody_is_said_to_have_one(manifest):
    text = page({**manifest, "people": manifest["people"][1:], "clips": []})
    assert "1 person without a clip 0 clips" in " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_being_brief_is_no_reason_where_only_some_were_to_have_clips(manifest):
    for change in ({"names": {"only": "Anna"}}, {"settings": {"speech": {"when": "speaking"}}}):
        assert "Without a clip" in page({**manifest, **change}) and "briefly" not in page({**manifest, **change})


def test_every_clip_is_a_player_and_a_place_in_the_timeline(manifest):
    text = page(manifest)
    players = re.findall(r'<li class="clip" id="([^"]+)">', text)
    places = re.findall(r'<a href="#(clip-[^"]+)" aria-label', text)
    assert players == places == ["clip-1-1", "clip-1-2"]
    assert text.count('preload="metadata"') == 2
    # The tracklet numbers for `main.py split`.
    assert re.findall(r"tracklets? ([\d, ]+)</span>", text) == ["0", "0, 1"]
    assert 'src="person_01/clip%20%231%3F.mp4"' in text
    # A clip from 3.2 s on in a video of 12.8 s.
    assert re.search(r'<rect x="25.0%" width="25.0%"', text)


def test_what_is_on_screen_without_a_clip_can_be_named(manifest):
    """A doubtful tracklet may be in no clip, and then only the timeline shows where it is."""
    shown = re.findall(r'<rect class="seen"[^>]*>\s*<title>(.*?)</title>', page(manifest))
    assert shown == [
        "Tracklet 0, 0:03.2 to 0:06.4",
        "Tracklet 1, 0:07.0 to 0:12.8",
        "Tracklet 2, 0:01.0 to 0:01.4",
    ]


def test_doubtful_people_are_reported_with_the_commands_that_settle_it(manifest):
    plain = html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page(manifest)).split()))
    assert "doubtful: similarity of tracklet 1 to the others only 0.55; perhaps the same as Zoë & co (0.40)" in plain
    assert "main.py split VIDEO person_01 --tracklets 1" in plain
    assert "main.py merge VIDEO person_01 'Zoë & co'" in plain
    manifest["people"][0]["doubt"] = {"doubtful": False, "similarity": 0.9, "part": [1]}
    sure = page(manifest)
    assert 'class="badge doubtful"' not in sure and "main.py split" not in sure


def test_what_is_to_be_checked_is_named_at_the_top(manifest):
    text = page(manifest)
    assert re.search(r'To check:</b>\s*<a href="#person-1"><bdi>person_01</bdi></a>,\s*<a href="#unknown-title">', text)
    assert "1 unknown tracklet</a>" in text
    manifest["unknown"], manifest["unknown_tracklets"] = [], []
    manifest["people"] = [{**manifest["people"][0], "name": f"person_{n:02}"} for n in range(15)]
    text = page(manifest)
    assert "3 other people" in text and "#unknown-title" not in text
    for person in manifest["people"]:
        del person["doubt"]
    assert "To check" not in page(manifest)


def test_two_folders_of_one_person_are_reported_with_the_command_that_joins_them(manifest):
    for person in manifest["people"]:
        person["id"] = "P0007"
    plain = html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page(manifest)).split()))
    assert "the same person as Zoë & co" in plain and "perhaps the same as" not in plain
    assert "the same person as person_01" in plain and plain.count("main.py merge VIDEO 'Zoë & co' person_01") == 2


def without_tags(text: str) -> str:
    """What the page `text` says, each space once and "-" for every dash."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split()).replace("–", "-")


def test_unknown_tracklets_are_shown_with_what_is_known_and_the_command(manifest):
    text = page(manifest, unknown={3: JPEG})
    plain = without_tags(text)
    assert "Not sure who this is" in plain
    assert (
        "Tracklet 3 0:05.0-0:05.2, shot 1; seen for 0.2 s, 42 px high; quality 0.12; most similar: person_01" in plain
    )
    assert "main.py assign VIDEO person_01 --tracklets 3" in plain
    assert data_uri(JPEG) in text
    assert data_uri(JPEG) not in page(manifest)
    manifest["unknown_tracklets"][0] |= {"nearest": "", "nearest_similarity": None}
    alone = without_tags(page(manifest))
    assert "quality 0.12; it cannot be any of the people found" in alone
    # The next free name makes a new person.
    assert "main.py assign VIDEO person_02 --tracklets 3" in alone
    manifest["unknown_tracklets"][0]["quality"] = None
    assert "no face is good enough to be compared" in page(manifest)
    manifest["unknown_tracklets"] = []
    assert "Not sure who this is" not in page(manifest)


def test_who_is_seen_twice_at_once_is_not_among_the_unknown(manifest):
    manifest["unknown_tracklets"][0]["repeats"] = "Anna"
    text = page(manifest, unknown={3: JPEG})
    assert "Seen twice at once" in text and "Tracklet 3: <bdi>Anna</bdi>" in text and "Not sure who this is" not in text
    # Nobody present can be the second face; whoever disagrees gets a new person.
    assert "person_02 --tracklets 3" in html.unescape(re.sub(r"<[^>]+>", "", text))
    assert '<th scope="row">tracks not assigned to a person</th><td>0</td>' in text


def test_of_very_many_unknown_tracklets_those_seen_longest_are_shown(manifest):
    one = manifest["unknown_tracklets"][0]
    manifest["unknown"] = list(range(100, 300))
    manifest["unknown_tracklets"] = [{**one, "tracklet": 100 + k, "seen_s": 0.01 * k} for k in range(200)]
    text = page(manifest)
    assert re.findall(r'<li id="tracklet-(\d+)">', text) == [str(k) for k in range(240, 300)]
    assert "140 more are listed by" in text


def test_commands_can_be_pasted_whatever_people_are_called(manifest):
    hostile = "a'; rm -rf $HOME; echo <b>`x`"
    manifest["unknown_tracklets"][0]["nearest"] = hostile
    text = html_of(as_manifest(manifest), as_timeline(a_timeline()), ReportImages(), folder="my video")
    command = re.search(r'<code class="command">(\.venv/bin/python main.py assign .*?)</code>', text)
    assert command is not None and "<b>" not in command[1]
    assert shlex.split(without_tags(command[1])) == [
        ".venv/bin/python",
        "main.py",
        "assign",
        "my video",
        hostile,
        "--tracklets",
        "3",
    ]


def test_names_from_right_to_left_stay_in_their_place(manifest):
    manifest["people"][0]["doubt"]["nearest"] = manifest["people"][1]["name"] = "אבא גדול"
    text = page(manifest)
    assert "perhaps the same as \u2068אבא גדול\u2069 (0.40)" in text
    assert "main.py merge VIDEO person_01 <bdi>&#39;אבא גדול&#39;</bdi></code>" in text


def test_of_very_many_clips_none_is_opened_before_it_is_played(manifest):
    manifest["clips"] = [{**manifest["clips"][0], "file": f"person_01/{i}.mp4"} for i in range(100)]
    assert page(manifest).count('preload="none"') == 100


def test_turns_are_in_the_lane_of_who_speaks(manifest):
    assert 'class="speaks"' not in page(manifest) and "speaks for" not in page(manifest)
    manifest["people"][0] |= {"turns": 2, "speaks_s": 4.5}
    manifest["people"][1] |= {"turns": 0, "speaks_s": 0.0}
    file = a_timeline()
    file["people"] = [
        {"name": "person_01", "tracklets": [0, 1], "segments": [], "speaks": [[3.2, 6.4], [7.0, 8.3]]},
        {"name": "Zoë & co", "tracklets": [2], "segments": [], "speaks": []},
    ]
    text = html_of(as_manifest(manifest), as_timeline(file), ReportImages())
    assert text.count('class="speaks"') == 2 and '<rect class="speaks" x="25.0%" width="25.0%"' in text
    assert "speaks for 0:04.5 in 2 turns" in text and "Thin: speaking." in text
    manifest["people"][0] |= {"turns": 0, "speaks_s": 0.0}
    silent = page(manifest)
    assert "2 clips; does not speak</p>" in silent and "speaks for" not in silent


def test_very_many_cuts_are_in_the_row_of_shots_alone(manifest):
    assert page(manifest).count('class="cut"') == 2  # one in each lane
    manifest["shots"] = [{**manifest["shots"][0], "index": i} for i in range(200)]
    text = page(manifest)
    assert 'class="cut"' not in text and "Dashed" not in text and text.count('class="shot') == 200


def test_all_files_are_linked(manifest):
    manifest["files"].append({"file": "preview.mp4", "bytes": 1})
    manifest["extras"] = {"preview": ["preview.mp4"]}
    text = page(manifest)
    for entry in manifest["files"]:
        assert f'href="{href(entry["file"])}"' in text
    assert '<video class="whole"' in text and 'href="manifest.json"' in text
    assert '<video class="whole"' not in page(a_manifest())


def test_images_are_in_the_page(manifest):
    text = page(
        manifest,
        faces={"person_01": [FaceImage(1, JPEG), FaceImage(7, b"second")]},
        posters={"person_01/clip_2.mp4": b"poster"},
    )
    assert text.count(f'src="{data_uri(JPEG)}"') == 2  # the card and the timeline
    assert f'title="Tracklet 7" src="{data_uri(b"second")}"' in text
    assert text.count('poster="') == 1 and f'poster="{data_uri(b"poster")}"' in text


def test_nothing_is_fetched_from_anywhere(manifest):
    text = page(manifest, faces={"person_01": [FaceImage(1, JPEG)]})
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text.replace("http-equiv", ""))


def test_a_hostile_name_is_only_text():
    manifest = a_manifest(name=HOSTILE, person=HOSTILE)
    text = page(manifest)
    assert "<img src=x" not in text and "<script>alert" not in text and 'onmouseover="' not in text
    assert html.escape(HOSTILE, quote=False)[:10] in text


def test_only_our_own_script_and_style_may_run(manifest):
    text = page(manifest)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    policy = html.unescape(policy)
    for tag in ("style", "script"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
    # The policy would block these, so the page must not rely on them.
    assert " style=" not in text and not re.search(r"<[^>]* on[a-z]+=", text)
    assert content_policy("", "").count("'none'") == 5


def test_nobody_no_audio_and_no_length(manifest):
    manifest.update(people=[], clips=[], shots=[], files=[], warnings=[])
    manifest["video"].update(duration_s=0.0, audio=[], audio_used=None)
    text = html_of(as_manifest(manifest), as_timeline({**a_timeline(), "tracklets": []}), ReportImages())
    assert "There are no people" in text and "no audio" in text and 'class="timeline"' not in text


def test_the_same_every_time(manifest):
    assert page(manifest) == page(a_manifest())


def test_hundreds_of_people_have_colours(manifest):
    people = [{**manifest["people"][0], "name": f"p{i}", "clips": 0} for i in range(300)]
    manifest.update(people=people, clips=[])
    assert set(re.findall(r'class="row p(\d+)"', page(manifest))) == {str(i) for i in range(10)}


def test_a_page_with_thousands_of_images_is_never_in_memory_as_a_whole(manifest):
    clip = manifest["clips"][0]
    manifest["clips"] = [{**clip, "file": f"{clip['person']}/clip_{number}.mp4"} for number in range(1500)]
    posters = {made["file"]: bytes(6000) for made in manifest["clips"]}
    values = as_manifest(manifest), as_timeline(a_timeline()), ReportImages(posters=posters)
    length = sum(len(part) for part in report_parts(*values))
    peak = allocated_memory(lambda: sum(len(part) for part in report_parts(*values))).peak
    assert length > 1500 * 8000 and peak < length / 2


def test_a_value_that_a_template_needs_and_nobody_gave_is_an_error(tmp_path):
    import jinja2

    with pytest.raises(jinja2.UndefinedError):
        render_page("index.html.j2", ("page.css",), (), {})
