"""Known people, measured: links between videos, names by photos, pairs of photos, sharpness, and large galleries.

    python -m benchmarks.quality.known_people [links] [photos] [pairs] [sharpness] [scale]
        [--cache-dir DIR] [--embedder NAME]

Without a word everything is measured. Analyses are kept in the cache folder, so that a second run takes a minute. The
rule of links is fitted on other videos than those it is judged by, and so is the threshold of sharpness.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, groupby
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.known_clips import CLIPS
from benchmarks.quality.blur_cases import BlurCase, blur_cases, frame_of, sharpness_table
from benchmarks.quality.known_cast import SERIES, SHARED, Video, photo_pairs, videos
from benchmarks.quality.link_choice import (
    SHOWN,
    KnownFace,
    LinkPairs,
    cross_validated_curve,
    of_two_files,
    people_and_photos,
)
from benchmarks.quality.photo_choice import photo_and_video_pairs
from benchmarks.quality.run_settings import offline_settings
from core.model_manager import ModelManager
from core.models.embedder_spec import link_curves_of
from processors.known_people.face_index import ExactFaceIndex
from processors.known_people.gallery import Gallery
from processors.known_people.gallery_types import EmbedderKey, GalleryFace, NamedPhoto, PersonOfVideo
from processors.known_people.gallery_videos import Linked, record_video
from processors.known_people.known_faces import KnownFaces
from processors.known_people.naming_case import NamingCase
from processors.known_people.person_matching import Decisions
from processors.known_people.photo_compare import compare_photos
from processors.known_people.photo_faces import find_faces
from processors.known_people.photo_reader import read_photo
from processors.known_people.reference_photos import read_reference_photos

SIZES = (100, 10_000, 100_000)
TURNS = 20
RANDOM_ORDERS = 8
_UNDECIDED = Decisions()


def links(all_videos: Sequence[Video], models: ModelManager, embedder: EmbedderKey) -> Iterator[str]:
    """Who is linked over files, in several orders of the files: the signers, the series, and everything in one gallery.

    Then everything again without each of the files in turn.
    """
    signers = [v for v in all_videos if v.path.parent.name == "people"]
    series = [v for v in all_videos if v.path.name.startswith(SERIES)]
    yield "| videos | files | people | right | in any order | possible | wrong in any order | precision |"
    yield "|" + "---|" * 8
    for name, chosen in (("signers", signers), ("series", series), ("everything", all_videos)):
        found = [linked_pairs(people_through_gallery(order, embedder)) for order in orders_of(chosen)]
        people = sum(len(video.truth) for video in chosen)
        yield f"| {name} | {len(chosen)} | {people} | {_found_row(found)} |"
    rest = [[v for v in all_videos if v is not video] for video in all_videos]
    found = [linked_pairs(people_through_gallery(videos, embedder)) for videos in rest]
    recalls = [right / possible for right, _, possible in found]
    wrong = sum(one[1] for one in found)
    yield f"without one of the files: recall {min(recalls):.3f} to {max(recalls):.3f}, wrong {wrong} in all"
    yield ""
    curves, known = link_curves_of(embedder.name), people_and_photos(all_videos, models)
    alike = [(a, b) for a, b in of_two_files(known) if a.on_photo == b.on_photo]
    yield "two videos, or two photos"
    yield from cross_validated_curve(LinkPairs(alike), curves.same_kind, embedder.name)
    yield ""
    yield "a photo, changed in several ways, and a video"
    with_photo = LinkPairs(photo_and_video_pairs(known, models))
    yield from cross_validated_curve(with_photo, curves.photo_and_video, embedder.name)


def orders_of(videos: Sequence[Video]) -> list[list[Video]]:
    """The order of the benchmark, the same backwards, and random ones."""
    orders = [list(videos), list(reversed(videos))]
    return orders + [Random(seed).sample(videos, len(videos)) for seed in range(RANDOM_ORDERS)]


def names_by_photos(all_videos: Sequence[Video], models: ModelManager, embedder: EmbedderKey) -> Iterator[str]:
    """Whom the shared photos name in all clips, in several orders of the clips.

    The photos of the labelled pairs are in the gallery, too: who is on them is in no clip.
    """
    yield from (str(line) for line in read_reference_photos(SHARED / "photos", models).lines)
    photos = named_photos(people_and_photos([], models))
    for video, linked in people_named(photos, all_videos, embedder):
        if linked.name:
            verdict = f"{'right' if video.truth.get(linked.label) == linked.name else 'WRONG'}, {linked.match}"
            yield f"{video.path.name} {linked.label}: {linked.name} ({verdict})"
        elif (asked := linked.match.suggestion) is not None and asked.name:
            yield f"{video.path.name} {linked.label}: {asked.name}? {asked.similarity:.2f}"
    for order in orders_of(all_videos):
        right, wrong = count_named(photos, order, embedder)
        yield f"named right {right}, wrong {wrong}, to be named {len(SHOWN)}"


def named_photos(known: Sequence[KnownFace]) -> list[NamedPhoto]:
    """The photos among these faces, each naming who is on it."""
    return [
        NamedPhoto(one.person, one.file, "photos", GalleryFace(one.faces.vectors[0], float(one.faces.quality[0])))
        for one in known
        if one.on_photo
    ]


def people_named(
    photos: Sequence[NamedPhoto], order: Sequence[Video], embedder: EmbedderKey
) -> Iterator[tuple[Video, Linked]]:
    """Everybody in the videos, who came one after the other, in a gallery with these photos."""
    known = KnownFaces(embedder, link_curves_of(embedder.name))
    with tempfile.TemporaryDirectory() as folder, Gallery(Path(folder) / "gallery.sqlite") as gallery:
        gallery.keep_photos(photos, "photos", embedder)
        for video in order:
            for linked in _record(gallery, known, embedder, video):
                yield video, linked


def count_named(photos: Sequence[NamedPhoto], order: Sequence[Video], embedder: EmbedderKey) -> tuple[int, int]:
    """How many people the photos name rightly, and wrongly."""
    named = [(video.truth.get(one.label), one.name) for video, one in people_named(photos, order, embedder) if one.name]
    right = sum(true == name for true, name in named)
    return right, len(named) - right


def pairs(models: ModelManager) -> Iterator[str]:
    """The labelled pairs of photos at the default threshold."""
    folder, rows = SHARED / "pairs", sorted(photo_pairs())
    wrong: Counter[str] = Counter()
    for source, group in groupby(rows, lambda row: row[0]):
        entries = list(group)
        targets = [folder / b for _, b, _ in entries]
        for (a, b, same), (comparison, _) in zip(
            entries, compare_photos(folder / source, targets, models), strict=True
        ):
            found = bool(comparison.faces) and comparison.faces[0].same
            if found != same:
                wrong["false match" if found else "missed"] += 1
                yield f"{'false match' if found else 'missed'}: {a} {b}"
    yield f"{len(rows)} pairs: accuracy {1 - sum(wrong.values()) / len(rows):.4f}, false matches {wrong['false match']}"


def sharpness(models: ModelManager) -> Iterator[str]:
    """Blur of known strength on the shared photos and frames."""
    images: list[BlurCase] = []
    faces: list[BlurCase] = []
    for path in sorted([*(SHARED / "photos").iterdir(), *(SHARED / "pairs").iterdir()]):
        if path.suffix not in (".jpg", ".png"):
            continue
        photo = read_photo(path)
        images += blur_cases(path.name, photo.pixels)
        for face in find_faces(photo, models)[:1]:
            faces += blur_cases(path.name, photo.pixels, face.box)
    for path in sorted([*CLIPS.rglob("*"), *(SHARED / "who").iterdir()]):
        if path.suffix in (".mp4", ".mov", ".mkv", ".avi") and path.parent.name != "broken":
            frame = frame_of(path)
            if frame is not None:
                images += blur_cases(path.name, frame)
    yield from sharpness_table(images, faces)


def scale(embedder: EmbedderKey) -> Iterator[str]:
    """Time and memory of galleries of many faces."""
    yield "| faces | dimensions | index, MB | a person's query, CPU ms | search alone, CPU ms | load, s | file, MB |"
    yield "|" + "---|" * 7
    for dimensions in (128, 512):
        for size in SIZES:
            yield _scale_row(size, dimensions, embedder)


def _scale_row(size: int, dimensions: int, embedder: EmbedderKey) -> str:
    random = np.random.default_rng(0)
    vectors = random.standard_normal((size, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tracemalloc.start()
    index = ExactFaceIndex()
    for start in range(0, size, 10_000):
        index.add(np.arange(start, min(start + 10_000, size)), vectors[start : start + 10_000])
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    alone = []
    for turn in range(TURNS):
        begin = time.thread_time()
        index.search(vectors[turn : turn + 1], 256)
        alone.append(time.thread_time() - begin)
    with tempfile.TemporaryDirectory() as folder, Gallery(Path(folder) / "gallery.sqlite") as gallery:
        with gallery.file.writing() as rows:
            rows.executemany("INSERT INTO people (id) VALUES (?)", [(n + 1,) for n in range(size // 10)])
            rows.executemany(
                "INSERT INTO faces (person, embedder, weights, vector, quality, source, origin, thumbnail)"
                " VALUES (?, ?, ?, ?, 0.9, 'video', ?, x'')",
                (
                    (n // 10 + 1, embedder.name, embedder.weights_sha256, v.astype("<f2").tobytes(), f"v#{n}")
                    for n, v in enumerate(vectors)
                ),
            )
            rows.execute("UPDATE state SET digest = 'filled'")
        known = KnownFaces(embedder, link_curves_of(embedder.name))
        person = PersonOfVideo("a", (0,), faces=_faces(vectors[:6]))
        times = []
        with gallery.file.reading() as rows:
            for _ in range(TURNS + 1):
                begin = time.thread_time()
                known.link([person], (), _UNDECIDED, rows)
                times.append(time.thread_time() - begin)
        bytes_on_disk = sum(file.stat().st_size for file in Path(folder).iterdir())
    return (
        f"| {size} | {dimensions} | {memory / 2**20:.0f} | {1000 * float(np.median(times[1:])):.1f} | "
        f"{1000 * float(np.median(alone)):.1f} | {times[0]:.2f} | {bytes_on_disk / 2**20:.0f} |"
    )


def _faces(vectors: np.ndarray) -> tuple[GalleryFace, ...]:
    return tuple(GalleryFace(vector, 0.95) for vector in vectors)


def _record(gallery: Gallery, known: KnownFaces, embedder: EmbedderKey, video: Video) -> list[Linked]:
    case = NamingCase(video.key, embedder, tuple(video.people), frozenset(video.together), False, {})
    return record_video(
        gallery,
        case,
        embedder,
        lambda people, decided, rows: known.link(people, video.together, decided, rows),
    )


def people_through_gallery(chosen: Sequence[Video], embedder: EmbedderKey) -> list[tuple[tuple[str, str], int]]:
    """(file, true person) and number of everybody whose truth is known, after the files came one after the other."""
    given = []
    known = KnownFaces(embedder, link_curves_of(embedder.name))
    with tempfile.TemporaryDirectory() as folder, Gallery(Path(folder) / "gallery.sqlite") as gallery:
        for video in chosen:
            _record(gallery, known, embedder, video)
        # Asked at the end: a later file may show that two numbers are one person.
        for video in chosen:
            for label, (number, _) in gallery.names_of(video.key).items():
                if label in video.truth and number is not None:
                    given.append(((video.path.name, video.truth[label]), number))
    return given


def linked_pairs(given: Sequence[tuple[tuple[str, str], int]]) -> tuple[int, int, int]:
    """Of pairs of people of two files: linked and one person, linked and two, all that are one person."""
    right = wrong = possible = 0
    for ((file_a, a), m), ((file_b, b), n) in combinations(given, 2):
        if file_a == file_b:
            continue
        possible += a == b
        right += m == n and a == b
        wrong += m == n and a != b
    return right, wrong, possible


def _found_row(found: Sequence[tuple[int, int, int]]) -> str:
    """found: what `linked_pairs` says of each order, the first one is that of the benchmark."""
    rights = [right for right, _, _ in found]
    wrong = sum(one[1] for one in found)
    precisions = [right / max(right + wrong, 1) for right, wrong, _ in found]
    cells = [rights[0], f"{min(rights)} to {max(rights)}", found[0][2], wrong, f"at least {min(precisions):.3f}"]
    return " | ".join(map(str, cells))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="links, photos, pairs, sharpness, scale; all without a word")
    parser.add_argument("--embedder", default="auto", help="which recognition network")
    parser.add_argument("--cache-dir", default="", help="where models and analyses are kept")
    args = parser.parse_args()
    settings = offline_settings(args.cache_dir, embedder=args.embedder)
    models = ModelManager.instance(settings)
    about = models.describe()["embedder"]
    embedder = EmbedderKey(about["name"], about["sha256"])
    parts = args.parts or ["links", "photos", "pairs", "sharpness", "scale"]
    seen = videos(settings, models) if {"links", "photos"} & set(parts) else []
    work = {
        "links": lambda: links(seen, models, embedder),
        "photos": lambda: names_by_photos(seen, models, embedder),
        "pairs": lambda: pairs(models),
        "sharpness": lambda: sharpness(models),
        "scale": lambda: scale(embedder),
    }
    print(f"recognition network: {embedder.name}")
    for part in parts:
        print(f"\n{part}\n")
        for line in work[part]():
            print(line, flush=True)


if __name__ == "__main__":
    main()
