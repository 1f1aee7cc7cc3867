"""Pictures are published without metadata: the same pixels, and nothing of who, where and with what."""

import json
import re
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from struct import pack
from zlib import crc32

import photos
import pytest
from conftest import MEDIA, guarded, program, run
from hypothesis import given, settings
from hypothesis import strategies as st
from photos import GAIN_MAP, ORIENTATION, PICTURES, SECRET, box, encoded, frames, gradient, segment
from PIL import Image
from work import work

from feeds.pictures import DamagedPicture, without_metadata

# What exiftool may find: the groups of metadata, and of these the tags that are not allowed.
GROUPS = r"SourceFile|(ExifTool|System|File|JFIF|Adobe|PNG|PNG-pHYs|RIFF|GIF|QuickTime|Meta|Track\d+|ICC[-_].*|IFD0|Composite):.*"
PRIVATE = (
    r"GPS|Serial|Owner|Thumbnail|PreviewI|MPImage|MotionPhoto|Comment|:Text|Author|Exif:|PNG:.*Date"
)
# Of a TIFF with one field: type SHORT, one value, padding.
MINIMAL = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0%c\0\0\0\0\0\0"
EXIF = MINIMAL % 6
COMMENT = segment(0xFE, SECRET.encode())


@cache
def made(name: str) -> bytes:
    return PICTURES[name]()


@pytest.fixture(scope="module")
def tags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Return what exiftool finds in each picture: by its name, and after by `./` and its name."""
    exiftool = program("exiftool")
    folder = tmp_path_factory.mktemp("pictures")
    for name in PICTURES:
        (folder / f"before-{name}").write_bytes(made(name))
        (folder / f"after-{name}").write_bytes(without_metadata(made(name)))
    done = run(exiftool, "-a", "-G1", "-j", "-ee3", "-sort", folder)
    found: list[dict[str, object]] = json.loads(done.stdout)
    return {Path(str(one["SourceFile"])).name: one for one in found}


# Private tags that exiftool must find before, so that it could find them after.
FOUND = {
    "phone.jpg": "GPS:GPSLatitude IFD1:ThumbnailImage MPImage2:PreviewImage XMP-aux:SerialNumber",
    "camera.jpg": "Nikon:SerialNumber PreviewIFD:PreviewImage JFXX:ThumbnailImage JFIF:ThumbnailTIFF",
    "editor.jpg": "Canon:SerialNumber Photoshop:PhotoshopThumbnail IPTC:City XMP-xmp:ThumbnailImage",
    "phone.png": "Canon:SerialNumber GPS:GPSLatitude XMP-exif:GPSLatitude PNG:Comment PNG:Author",
    "camera.webp": "ExifIFD:SerialNumber Nikon:SerialNumber XMP-exif:GPSLatitude",
    "editor.webp": "ExifIFD:LensSerialNumber GPS:GPSLatitude XMP-xmp:ThumbnailImage",
    "editor.gif": "File:Comment GIF:Text XMP-exif:GPSLatitude XMP-aux:SerialNumber",
    "phone.avif": "GPS:GPSLatitude ExifIFD:SerialNumber XMP-aux:SerialNumber QuickTime:MotionPhotoVideo",
    "camera.avif": "XMP-exif:GPSLatitude XMP-aux:SerialNumber XMP-xmp:ThumbnailImage",
    "editor.avif": "ExifIFD:SerialNumber GPS:GPSLatitude XMP-exif:GPSLatitude",
}


@pytest.mark.parametrize("name", PICTURES)
def test_exiftool_finds_nothing_private(name: str, tags: dict[str, dict[str, object]]) -> None:
    """exiftool finds nothing but the file's structure, its colour profile and its orientation."""
    before, after = tags[f"before-{name}"], tags[f"after-{name}"]
    assert before.keys() >= set(FOUND[name].split())
    assert not [tag for tag in after if not re.fullmatch(GROUPS, tag) or re.search(PRIVATE, tag)]
    orientation = {tag: value for tag, value in after.items() if tag.startswith("IFD0:")}
    assert orientation in ({}, {"IFD0:Orientation": before.get("IFD0:Orientation")})
    kept = [tag for tag in before if re.match(r"ICC|IFD0:Orientation|QuickTime:Rotation", tag)]
    assert {tag: before[tag] for tag in kept} == {tag: after.get(tag) for tag in kept}
    dates = {str(value) for tag, value in after.items() if re.search(r"^[QT].*Date$", tag)}
    assert dates <= {"0000:00:00 00:00:00"}


@pytest.mark.parametrize("name", PICTURES)
def test_pixels_profile_and_orientation_stay(name: str) -> None:
    """All frames are the same, with the same profile and orientation; no private byte is left."""
    before = made(name)
    after = without_metadata(before)
    assert frames(after) == frames(before)
    turned = not name.startswith("editor") or name in {"editor.jpg", "editor.webp"}
    shown = {"camera.avif": 8}.get(name, 6)
    assert dict(Image.open(BytesIO(after)).getexif()) == ({ORIENTATION: shown} if turned else {})
    assert SECRET.encode() in before
    for private in (SECRET.encode(), photos.THUMBNAIL, photos.PREVIEW, photos.AVIF_THUMBNAIL):
        assert private not in after
    for private in (b"exif:", b"ftypmp42", b"moov" if name != "editor.avif" else b"mpvd"):
        assert private not in after


@pytest.mark.parametrize("name", PICTURES)
def test_what_has_no_metadata_is_unchanged(name: str) -> None:
    """A picture without metadata is published as it is, also if metadata were removed from it."""
    after = without_metadata(made(name))
    assert after != made(name)
    assert without_metadata(after) == after


def every_form() -> dict[str, bytes]:
    """Return a picture in each form that Pillow writes."""
    modes = {
        "JPEG": "1 L RGB YCbCr CMYK",
        "PNG": "1 L LA P RGB RGBA I;16",
        "WEBP": "RGB RGBA L",
        "GIF": "1 L P RGB RGBA",
        "AVIF": "RGB RGBA L",
    }
    found = {}
    for kind, mode in ((kind, mode) for kind, words in modes.items() for mode in words.split()):
        image = gradient("I").convert(mode) if mode == "I;16" else gradient(mode)
        found[f"{kind} {mode}"] = encoded(image, kind, icc_profile=photos.ICC_PROFILE)
        if kind != "JPEG" and mode not in {"1", "I;16", "LA"}:
            more = {
                "append_images": [image.rotate(90), image.rotate(180)],
                "duration": [50, 60, 70],
            }
            found[f"{kind} {mode} moving"] = encoded(image, kind, save_all=True, loop=3, **more)
    for option in ("progressive", "optimize", "restart_marker_blocks", "keep_rgb"):
        found[f"JPEG {option}"] = encoded(gradient(), "JPEG", **{option: True})
    found["PNG transparent"] = encoded(gradient("P"), "PNG", transparency=3, bits=8)
    found["WEBP lossless"] = encoded(gradient("RGBA"), "WEBP", lossless=True)
    return found


def test_pictures_of_every_form_stay_the_same() -> None:
    """What Pillow writes in any mode shows the same, and is unchanged but for dates in AVIF."""
    forms = every_form()
    for name, data in forms.items():
        after = without_metadata(data)
        assert frames(after) == frames(data), name
        assert (after == data) == (not re.fullmatch("AVIF .* moving", name)), name
    files = [path for path in MEDIA.iterdir() if path.name.startswith("market")]
    assert len(files) == 5
    for path in files:
        assert without_metadata(path.read_bytes()) == path.read_bytes()


def test_what_exiftool_writes_is_removed(tmp_path: Path) -> None:
    """A picture to which exiftool adds metadata is byte for byte as before."""
    exiftool = program("exiftool")
    plain = {
        "1.jpg": encoded(gradient(), "JPEG"),
        "2.png": encoded(gradient(), "PNG"),
        "3.gif": encoded(gradient("P"), "GIF", loop=0),
    }
    for name, data in plain.items():
        (tmp_path / name).write_bytes(data)
    words = [
        *("-GPSLatitude=27.99", "-GPSLatitudeRef=N", "-XMP:GPSLatitude=27.99", "-Comment=Hello"),
        *("-ExifIFD:SerialNumber=4711", "-XMP-aux:SerialNumber=4711", "-IPTC:City=Lukla"),
        *("-Artist=A", "-XMP:Creator=A", "-ThumbnailImage<=t.jpg", "-overwrite_original"),
    ]
    (tmp_path / "t.jpg").write_bytes(photos.THUMBNAIL)
    done = run(exiftool, *words, *plain, cwd=tmp_path)
    assert "3 image files updated" in done.stdout
    for name, data in plain.items():
        assert without_metadata((tmp_path / name).read_bytes()) == data
    # In AVIF, free space takes the place of metadata.
    coded = encoded(gradient(), "AVIF")
    (tmp_path / "4.avif").write_bytes(coded)
    assert "1 image files updated" in run(exiftool, *words, "4.avif", cwd=tmp_path).stdout
    after = without_metadata((tmp_path / "4.avif").read_bytes())
    assert frames(after) == frames(coded)
    assert b"Lukla" not in after
    assert b"4711" not in after


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("value", range(1, 9))
def test_each_orientation_is_kept(kind: str, value: int) -> None:
    """Of Exif metadata only an orientation stays, if it says that the picture is rotated."""
    prefix = b"Exif\0\0" if kind == "JPEG" else b""
    data = encoded(gradient(), kind, exif=prefix + photos.exif("Canon", value))
    found = dict(Image.open(BytesIO(without_metadata(data))).getexif())
    assert found == ({ORIENTATION: value} if value > 1 else {})
    other_order = encoded(gradient(), kind, exif=prefix + photos.exif("Canon", value, ">"))
    assert without_metadata(other_order) == without_metadata(data)


@pytest.mark.parametrize(
    "exif",
    [
        MINIMAL % 0,
        MINIMAL % 9,
        EXIF.replace(b"\0\3\0", b"\0\4\0"),
        EXIF.replace(b"\3\0\0\0\1", b"\3\0\0\0\2"),
        EXIF.replace(b"\0\0\0\x08", b"\0\0\1\x08"),
        EXIF.replace(b"MM", b"MN"),
        EXIF[:18],
        EXIF[:7],
        b"",
    ],
    ids="zero nine long two beyond order cut short empty".split(),
)
def test_an_orientation_that_is_not_valid_is_left_out(exif: bytes) -> None:
    """Browsers ignore a damaged orientation; so does this."""
    plain = encoded(gradient(), "JPEG")
    assert without_metadata(photos.with_segments(plain, photos.exif_segment(exif))) == plain
    # The first Exif metadata count.
    two = photos.exif_segment(exif) + photos.exif_segment(EXIF)
    assert without_metadata(photos.with_segments(plain, two)) == plain


def test_the_prefix_of_exif_stays() -> None:
    """On a wrong prefix in PNG and WebP depends who rotates a picture: so it is kept."""
    for prefix in (b"", b"Exif\0\0"):
        data = encoded(gradient(), "WEBP", exif=EXIF)
        start = data.index(b"EXIF")
        data = photos.riff(data[12:start] + photos.chunk(b"EXIF", prefix + EXIF))
        assert without_metadata(data) == data


JPEG = encoded(gradient(), "JPEG")
SCANS = encoded(gradient(), "JPEG", progressive=True, quality=60)


def test_jpeg_metadata_between_scans_are_removed() -> None:
    """A progressive picture loses comments and Exif metadata between its scans, and no scan."""
    assert SCANS.count(b"\xff\xda") > 5
    head, *scans = SCANS.split(b"\xff\xda")
    between = COMMENT + photos.exif_segment(EXIF) + b"\xff\xda"
    assert without_metadata(head + b"\xff\xda" + between.join(scans)) == SCANS


def test_a_segment_that_is_cut_short_ends_a_jpeg_file() -> None:
    """After the first scan, a file that ends in a table or another image ends before it."""
    table = SCANS.rindex(b"\xff\xc4")
    assert without_metadata(SCANS[: table + 9]) == SCANS[:table] + b"\xff\xd9"
    another = b"\xff\xd8\0\2" + segment(0xDB, SECRET.encode())
    assert without_metadata(JPEG[:-2] + another) == JPEG


def test_jpeg_fill_bytes_and_what_decoders_skip() -> None:
    """Between segments, fill bytes and other bytes that decoders skip are left out."""
    start = JPEG.index(b"\xff\xdb")
    assert without_metadata(JPEG[:start] + b"\xff\xff\xff" + JPEG[start:]) == JPEG
    skipped = JPEG[:start] + SECRET.encode() + b"\xff\0\xff\xd3" + JPEG[start:]
    assert without_metadata(skipped) == JPEG


def test_what_follows_metadata_in_a_scan_is_no_pixel() -> None:
    """Bytes after a segment that interrupts a scan do not become pixels."""
    cut = len(JPEG) - 100
    damaged = JPEG[:cut] + COMMENT + SECRET.encode() + JPEG[cut:]
    after = without_metadata(damaged)
    assert after == JPEG[:cut] + b"\xff\xd9"
    assert frames(after) == frames(damaged)


def test_restart_markers_and_other_codings_stay() -> None:
    """Restart markers, arithmetic coding and a number of lines that follows are kept."""
    size = b"\x08\0\x10\0\x10\1\1\x11\0"
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\1\xff\0\2\xff\xd0\3\xff\xff\xd1\4\xff\x01\5"
    lines = segment(0xDC, b"\0\x10")
    parts = (segment(0xC9, size), segment(0xCC, b"\0\1"), segment(0xDD, b"\0\1"), scan, lines)
    data = b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"
    assert without_metadata(data) == data
    assert without_metadata(data + b"\xff\xd8" + SECRET.encode()) == data


@pytest.mark.parametrize("length", range(len(JPEG) - 40, len(JPEG) - 1, 3))
def test_a_jpeg_file_without_an_end_is_published(length: int) -> None:
    """Browsers show a picture that is cut short in its pixels: it stays as it is."""
    assert without_metadata(JPEG[:length]) == JPEG[:length]
    # What follows is cut off all the same, and then the image has an end.
    cut = JPEG[:length] + COMMENT[:-1]
    assert without_metadata(cut) == JPEG[:length] + b"\xff\xd9"


def test_a_gif_file_without_a_trailer_is_published() -> None:
    """As in browsers, the end of the file or what is not a block ends a picture."""
    data = encoded(gradient("P"), "GIF")
    assert without_metadata(data[:-1]) == data[:-1]
    assert without_metadata(data[:-1] + b"\0" + SECRET.encode()) == data


def test_loops_of_gif_are_kept() -> None:
    """Both extensions that repeat an animation are known."""
    data = encoded(gradient("P"), "GIF", save_all=True, append_images=[gradient("P")], loop=2)
    other = data.replace(b"NETSCAPE2.0", b"ANIMEXTS1.0")
    assert other != data
    assert without_metadata(other) == other


def test_of_two_orientations_of_a_png_file_the_first_counts() -> None:
    """A second one is not valid, and is left out."""
    data = encoded(gradient(), "PNG", exif=EXIF)
    assert without_metadata(data) == data
    end = data.index(b"IDAT") - 4
    second = data[:end] + png_chunk(b"eXIf", MINIMAL % 3) + data[end:]
    assert second != data
    assert without_metadata(second) == data


def test_the_features_of_a_webp_file_are_true() -> None:
    """The flags of a file say which metadata it has. Without its flag, Exif is ignored."""
    plain = encoded(gradient("RGBA"), "WEBP", icc_profile=photos.ICC_PROFILE)
    for orientation, expected in ((1, 0), (6, 8)):
        options = {"xmp": photos.xmp(), "icc_profile": photos.ICC_PROFILE}
        data = encoded(gradient("RGBA"), "WEBP", exif=MINIMAL % orientation, **options)
        after = without_metadata(data)
        assert (data[20], after[20]) == (plain[20] + 12, plain[20] + expected)
        hidden = data[:20] + plain[20:21] + data[21:]
        assert without_metadata(hidden) == plain


def test_a_last_frame_without_padding_stays() -> None:
    """Some programs leave out the last byte of padding: it is not added."""
    frame = bytes(16) + b"VP8L" + pack("<I", 3) + b"abc"
    moving = photos.chunk(b"VP8X", b"\2" + bytes(9)) + photos.chunk(b"ANIM", bytes(6))
    data = photos.riff(moving + b"ANMF" + pack("<I", len(frame)) + frame)
    assert len(frame) % 2
    assert without_metadata(data) == data
    assert without_metadata(data + b"\0" + SECRET.encode()) == data
    simple = photos.riff(b"VP8L" + pack("<I", 3) + b"abc")
    assert without_metadata(simple) == simple


def test_what_gain_maps_need_is_kept() -> None:
    """An AVIF picture keeps the items that its other forms are made of, where they were."""
    before = made("camera.avif")
    after = without_metadata(before)
    assert len(after) == len(before)
    for needed in (GAIN_MAP, b"how to use the gain map"):
        assert before.count(needed) == after.count(needed) == 1
    assert before.index(GAIN_MAP) == after.index(GAIN_MAP)
    for kind in (b"tmap", b"dimg", b"altr", b"irot", b"colr"):
        assert kind in after


def test_avif_boxes_of_metadata_are_removed() -> None:
    """Nothing refers to what is left out, and its boxes are free space."""
    before = made("camera.avif")
    after = without_metadata(before)
    for kind in (*b"uuid thmb cdsc mime Exif uri ster udes udta".split(), b"rdf+xml"):
        assert kind in before
        assert kind not in after
    assert (before.count(b"prem"), after.count(b"prem")) == (1, 0)
    counts = [data.partition(b"iloc")[2][6:8] for data in (before, after)]
    assert counts == [b"\0\x08", b"\0\3"]
    # 0 stands for no property.
    assert before.count(b"\1\2\x83\4\x85\6") == 8
    assert after.count(b"\1\2\x83\4\x85\0") == 3
    # Without an unknown property that is essential, a decoder would show the picture wrongly.
    essential = before.replace(b"\1\2\x83\4\x85\6", b"\1\2\x83\4\x85\x86")
    assert b"udes" in without_metadata(essential)


def test_free_space_of_avif_is_empty() -> None:
    """Free space stays, without content; boxes of any kind of length are understood."""
    data = encoded(gradient(), "AVIF")
    start = data.index(b"mdat") - 4
    to_the_end = data[:start] + bytes(4) + data[start + 4 :]
    assert without_metadata(to_the_end) == to_the_end
    long = pack(">I4sQ", 1, b"free", 24)
    assert without_metadata(data + long + SECRET.encode() + b"!!") == data + long + bytes(8)
    short = pack(">I4s", 4, b"free")
    for following in (short, box(b"uuid", bytes(16)), photos.video(), b"SEFT", SECRET.encode() * 2):
        assert without_metadata(data + following) == data
    between = (
        data + box(b"skip", SECRET.encode()) + box(b"uuid", SECRET.encode()) + box(b"free", b"")
    )
    empty = box(b"free", bytes(6))
    assert without_metadata(between) == data + 2 * empty + box(b"free", b"")
    assert without_metadata(data + data[32:267]) == data + box(b"free", bytes(227))


def test_the_samples_of_other_tracks_are_removed() -> None:
    """A track that is not shown, such as positions of a camera, is left out with its samples."""
    before = made("editor.avif")
    other = before.replace(b"auxv", b"meta")
    after, all_tracks = without_metadata(other), without_metadata(before)
    assert frames(after) != frames(before)
    assert after.count(b"trak") == 1
    assert all_tracks.count(b"trak") == 2
    pixels = [data.partition(b"mdat")[2] for data in (after, all_tracks)]
    assert pixels[0].count(0) > pixels[1].count(0) + 30


@pytest.mark.parametrize("equal", [True, False], ids=["equal", "different"])
@pytest.mark.parametrize("kind", [b"stco", b"co64"])
def test_the_samples_of_a_track_are_kept(kind: bytes, equal: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Of the data of an animation, its samples stay: here two in one chunk, and one in another."""
    sizes = pack(">II", 4, 3) if equal else pack(">5I", 0, 3, 5, 3, 4)
    runs = pack(">7I", 2, 1, 2, 1, 2, 1, 1)

    def movie(start: int) -> bytes:
        chunks = pack(">III" if kind == b"stco" else ">IQQ", 2, start + 2, start + 12)
        tables = (full_box(b"stsz", sizes), full_box(b"stsc", runs), full_box(kind, chunks))
        return movie_with(*tables, data=b"-" * 20)

    data = movie(len(movie(0)) - 20)
    after = without_metadata(data)
    assert after[:-20] == data[:-20]
    assert after[-20:].replace(b"\0", b".") == b"..--------..----...."


def test_either_name_of_avif_is_known() -> None:
    """An animation can leave out the name of pictures without one."""
    brands = {b"avisavif": b"avismsf1", b"avifavis": b"avifmif1"}
    for old, new in brands.items():
        data = made("editor.avif").replace(b"avis\0\0\0\0avifavis", old[:4] + bytes(4) + new)
        assert data != made("editor.avif")
        assert SECRET.encode() not in without_metadata(data)


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"BM\0\0", box(b"ftyp", b"heic\0\0\0\0mif1")])
def test_other_files_are_unchanged(data: bytes) -> None:
    """A file of another type is returned as it is."""
    assert without_metadata(data) is data
    assert without_metadata(data + COMMENT) == data + COMMENT


@pytest.mark.parametrize("name", PICTURES)
def test_a_damaged_picture_is_refused_or_cut_short(name: str) -> None:
    """At whatever byte a file ends, it is refused with one message, or has no metadata."""
    data = made(name)
    kind = {"jpg": "JPEG", "webp": "WebP"}.get(name.partition(".")[2], name[-4:].strip(".").upper())
    refused = 0
    for length in range(12 if kind != "AVIF" else 40, len(data), 5):
        try:
            after = without_metadata(data[:length])
        except DamagedPicture as error:
            assert str(error) == f"is not a valid {kind} file"
            refused += 1
        else:
            assert SECRET.encode() not in after
    assert refused > 50


# Parts of pictures, to be put where they do not belong.
PIECES = [
    *(COMMENT, photos.exif_segment(EXIF), b"\xff\xd8", b"\xff\xd9", b"\xff\xda\0\2", b"\xff" * 9),
    *(photos.chunk(b"EXIF", EXIF), photos.chunk(b"ANMF", bytes(16)), photos.chunk(b"VP8X", b"")),
    *(pack(">I", len(EXIF)) + b"eXIf" + EXIF + bytes(4), bytes(4) + b"IEND" + bytes(4)),
    *(
        b"!\xfe\0",
        b"!\xff\x0bNETSCAPE2.0\0",
        b",",
        b";",
        b"\0\0\0\1",
        b"\xff\xff\xff\xff",
        b"\0" * 8,
    ),
    *(box(b"meta", bytes(4)), box(b"free", b""), box(b"moov", b""), box(b"iloc", b"\2" * 9)),
]


@st.composite
def damaged_pictures(draw: st.DrawFn) -> bytes:
    data = bytearray(made(draw(st.sampled_from(sorted(PICTURES)))))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.sampled_from([0, 0, 1, 4, 30, 10_000]))
        data[start:end] = draw(st.sampled_from(PIECES) | st.binary(max_size=9))
    return bytes(data)


def reduce_twice(data: bytes) -> None:
    with guarded(), suppress(DamagedPicture):
        after = without_metadata(data)
        # Exif metadata with an orientation have at least four bytes less than written ones.
        assert len(after) <= len(data) + 4
        assert without_metadata(after) == after


@given(damaged_pictures())
@settings(max_examples=300)
def test_any_damage_is_survived(data: bytes) -> None:
    """A damaged picture is refused, or reduced to one in which nothing is left to remove."""
    reduce_twice(data)


@pytest.mark.heavy
@given(damaged_pictures())
@settings(max_examples=5000, derandomize=False)
def test_any_damage_for_long(data: bytes) -> None:
    """The same, with new examples at each run."""
    reduce_twice(data)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return pack(">I", len(content)) + kind + content + pack(">I", crc32(kind + content))


def full_box(kind: bytes, content: bytes) -> bytes:
    return box(kind, bytes(4) + content)


def avif_with(*boxes: bytes) -> bytes:
    """Return an AVIF file with one item, and more boxes in its `meta` box, which come first."""
    item = full_box(b"iinf", pack(">H", 1) + box(b"infe", b"\2\0\0\0\0\1\0\0av01\0"))
    meta = (*boxes, full_box(b"pitm", b"\0\1"), item, full_box(b"iloc", bytes(4)))
    return box(b"ftyp", b"avif\0\0\0\0") + full_box(b"meta", b"".join(meta))


def movie_with(*tables: bytes, data: bytes = bytes(1000)) -> bytes:
    boxes = b"".join(tables)
    for kind in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        boxes = box(kind, boxes + (full_box(b"hdlr", b"\0\0\0\0pict") if kind == b"mdia" else b""))
    return box(b"ftyp", b"avis\0\0\0\0") + boxes + box(b"mdat", data)


def nested(size: int) -> bytes:
    return b"".join(pack(">I4s", length, b"moov") for length in range(size & ~7, 0, -8))


def counted(size: int, number: int, entry: bytes) -> bytes:
    count = size // len(entry)
    return pack(f">{number}I", *([count] * number)) + entry * count


# Of about this many bytes each: many small things, and counts that the file does not have.
HOSTILE: dict[str, Callable[[int], bytes]] = {
    "jpeg comments": lambda size: b"\xff\xd8" + b"\xff\xfe\0\2" * (size // 4),
    "jpeg tables": lambda size: b"\xff\xd8" + b"\xff\xdb\0\2" * (size // 4) + JPEG[2:],
    "jpeg scans": lambda size: JPEG[:-2] + b"\xff\xda\0\2" * (size // 4),
    "jpeg fill bytes": lambda size: JPEG[:-2] + b"\xff" * size,
    "jpeg stuffing": lambda size: b"\xff\xd8" + b"\xff\0" * (size // 2),
    "jpeg exif": lambda size: b"\xff\xd8" + photos.exif_segment(EXIF) * (size // 36),
    "png text": lambda size: photos.phone_png()[:33] + png_chunk(b"tEXt", b"") * (size // 12),
    "png exif": lambda size: photos.phone_png()[:33] + png_chunk(b"eXIf", EXIF) * (size // 38),
    "webp chunks": lambda size: made("camera.webp")[:12] + photos.chunk(b"prVt", b"") * (size // 8),
    "webp exif": lambda size: photos.riff(
        made("camera.webp")[12:30] + photos.chunk(b"EXIF", MINIMAL % 1) * (size // 34)
    ),
    "webp frames": lambda size: photos.riff(photos.chunk(b"ANMF", bytes(16)) * (size // 24)),
    "webp frame": lambda size: photos.riff(
        photos.chunk(b"ANMF", bytes(16) + photos.chunk(b"ALPH", b"") * (size // 8))
    ),
    "gif comments": lambda size: made("editor.gif")[:13] + b"!\xfe\0" * (size // 3),
    "gif sub-blocks": lambda size: b"GIF89a" + bytes(7) + b"!\xfe" + b"\1\1" * (size // 2),
    "avif brands": lambda size: box(b"ftyp", b"mif1" * (size // 4)),
    "avif boxes": lambda size: box(b"ftyp", b"avif") + box(b"free", b"") * (size // 8),
    "avif nested": lambda size: box(b"ftyp", b"avif") + nested(size),
    "avif items": lambda size: avif_with(
        box(b"iinf", bytes(6) + box(b"infe", bytes(12)) * (size // 20))
    ),
    "avif extents": lambda size: avif_with(
        full_box(b"iloc", b"\0\0\xff\xff" + b"\0\1\0\0\xff\xff" * (size // 6))
    ),
    "avif references": lambda size: avif_with(
        full_box(b"iref", box(b"auxl", b"\0\1\0\1\0\1") * (size // 14))
    ),
    "avif groups": lambda size: avif_with(
        box(b"grpl", full_box(b"altr", bytes(4) + counted(size, 1, b"\0\0\0\1")))
    ),
    "avif properties": lambda size: avif_with(
        box(b"iprp", box(b"ipco", box(b"udes", b"") * (size // 8)))
    ),
    "avif chunks": lambda size: movie_with(
        full_box(b"stsz", pack(">II", 9, 99)),
        full_box(b"stsc", pack(">4I", 1, 1, 100, 1)),
        full_box(b"stco", counted(size, 1, b"\0\0\0\xff")),
    ),
    "avif samples": lambda size: movie_with(
        full_box(b"stsz", bytes(4) + counted(size, 1, b"\0\0\0\1")),
        full_box(b"stsc", pack(">4I", 1, 1, 0xFFFFFFFF, 1)),
        full_box(b"stco", counted(size // 2, 1, b"\0\0\0\xff")),
    ),
    "avif count": lambda size: movie_with(
        full_box(b"stsz", pack(">II", 0, 0xFFFFFFFF) + bytes(size))
    ),
}


PNG = encoded(gradient(), "PNG")
GIF = encoded(gradient(), "GIF")
WEBP = encoded(gradient(), "WEBP", exif=EXIF)
AVIF = encoded(gradient(), "AVIF")
EXTENT = len(AVIF.partition(b"mdat")[2])
REFUSED = {
    "JPEG: no frame": b"\xff\xd8" + JPEG[JPEG.index(b"\xff\xda") :],
    "JPEG: no scan": JPEG[: JPEG.index(b"\xff\xda")] + b"\xff\xd9",
    "JPEG: cut short in its head": JPEG[:200],
    "PNG: another chunk first": PNG[:8] + png_chunk(b"gAMA", bytes(4)) + PNG[8:],
    "PNG: two headers": PNG[:33] + PNG[8:],
    "PNG: an unknown critical chunk": PNG[:33] + png_chunk(b"ABCD", b"") + PNG[33:],
    "PNG: no pixels": PNG[:33] + png_chunk(b"IEND", b""),
    "PNG: cut short": PNG[:-13],
    "PNG: cut short at the end": PNG[:-1],
    "GIF: no image": GIF[: 13 + 3 * 2 ** ((GIF[10] & 7) + 1)] + b";",
    "GIF: cut short": GIF[:-3],
    "WebP: cut short": WEBP[:-1],
    "WebP: a chunk that is too long": photos.riff(WEBP[12:] + b"prVt" + b"\xff" * 4),
    "WebP: a chunk without a length": photos.riff(WEBP[12:] + b"prV"),
    "WebP: features that come later": photos.riff(WEBP[30:] + WEBP[12:30]),
    "WebP: features that are too short": photos.riff(b"VP8X\1\0\0\0\0\0" + WEBP[30:]),
    "WebP: a frame that is too short": photos.riff(photos.chunk(b"ANMF", bytes(14))),
    "WebP: no image": photos.riff(WEBP[12:30]),
    "AVIF: no image": AVIF[:32] + box(b"mdat", bytes(9)),
    "AVIF: no list of items": AVIF[:32] + box(b"meta", AVIF[40:91]),
    "AVIF: cut short": AVIF[:-1],
    "AVIF: a box that is too short": AVIF.replace(b"\0\0\0\x0epitm", b"\0\0\0\7pitm"),
    "AVIF: a box that is too long": AVIF.replace(b"\0\0\0\x0epitm", b"\0\1\0\x0epitm"),
    "AVIF: a property that is too short": AVIF.replace(b"\0\x0cav1C", b"\0\7av1C"),
    "AVIF: a property that is too long": AVIF.replace(b"\0\x0cav1C", b"\1\x0cav1C"),
    "AVIF: more items than there are": AVIF.replace(b"iloc\0\0\0\0D\0\0\1", b"iloc\0\0\0\0D\0\0\2"),
    "AVIF: no such item": AVIF.replace(b"pitm\0\0\0\0\0\1", b"pitm\0\0\0\0\0\7"),
    "AVIF: only another type of item": AVIF.replace(b"av01Color", b"hvc1Color"),
    "AVIF: data in the head": AVIF.replace(
        pack(">II", len(AVIF) - EXTENT, EXTENT), pack(">II", 9, 9)
    ),
    "AVIF: data beyond the end": AVIF.replace(pack(">I", EXTENT), pack(">I", EXTENT + 1), 1),
    "AVIF: too many boxes": AVIF + box(b"free", b"") * 100_000,
    "AVIF: data in another item": made("camera.avif")
    .replace(b"\0\7\0\1\0\0", b"\0\7\0\2\0\0")
    .replace(b"\0\x09\0\1\0\0\0\1", b"\0\x09\0\2\0\0\0\1"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_valid_is_refused(what: str) -> None:
    """A file that begins like a picture and is not one is refused, in words for a Problem."""
    kind = what.partition(":")[0]
    assert without_metadata(
        {"JPEG": JPEG, "PNG": PNG, "GIF": GIF, "WebP": WEBP, "AVIF": AVIF}[kind]
    )
    with pytest.raises(DamagedPicture, match=f"^is not a valid {kind} file$"):
        without_metadata(REFUSED[what])


def reduced(data: bytes) -> None:
    with suppress(DamagedPicture):
        without_metadata(data)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pictures_take_no_more_than_their_size(name: str) -> None:
    """Work and memory grow with the size of a file, however many small parts it has."""
    data = HOSTILE[name](20_000)
    assert work(lambda: reduced(data)) < 10 * len(data)
    larger = HOSTILE[name](100_000)
    tracemalloc.start()
    reduced(larger)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * len(larger)


@pytest.mark.heavy
@pytest.mark.parametrize("name", HOSTILE)
def test_the_largest_hostile_pictures(name: str) -> None:
    """Nothing that Python does not count, such as copying bytes, takes long either."""
    data = HOSTILE[name](10_000_000)
    with guarded():
        reduced(data)
