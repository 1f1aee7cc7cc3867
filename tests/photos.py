"""Pictures with metadata, as phones, cameras and editors write them, made byte by byte."""

from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from itertools import chain
from struct import pack
from typing import Any

from PIL import Image, ImageCms, ImageSequence
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngInfo

# In all metadata that are text. It must not be in what is published.
SECRET = "S3CR3T"  # noqa: S105  # a word to look for
ICC_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION = 0x0112


class Pointer(bytes):
    """Bytes of which a TIFF field has the position."""

    __slots__ = ()


Field = int | str | bytes | list[tuple[int, int]] | Mapping[int, Any]


def directory(
    fields: Mapping[int, Field],
    position: int,
    order: str = "<",
    following: Mapping[int, Field] | None = None,
) -> bytes:
    """Return a directory of TIFF with what its fields refer to, and the following one."""
    head, data = bytearray(pack(f"{order}H", len(fields))), b""
    for tag, value in sorted(fields.items()):
        end = position + 2 + 12 * len(fields) + 4 + len(data)
        kind, count, near, far = field(value, end, order)
        head += pack(f"{order}HHI", tag, kind, count) + near.ljust(4, b"\0")
        data += far
    end = position + len(head) + 4 + len(data)
    more = directory(following, end, order) if following else b""
    return bytes(head) + pack(f"{order}I", end if following else 0) + data + more


def field(value: Field, end: int, order: str) -> tuple[int, int, bytes, bytes]:
    """Return a field's type and count, and its value: here or at `end`."""
    there = pack(f"{order}I", end)
    match value:
        case Pointer():
            return 4, 1, there, bytes(value)
        case int():
            kind, letter = (3, "H") if value <= 0xFFFF else (4, "I")
            return kind, 1, pack(order + letter, value), b""
        case list():
            numbers = pack(f"{order}{2 * len(value)}I", *chain(*value))
            return 5, len(value), there, numbers
        case str() | bytes():
            kind, far = (2, value.encode() + b"\0") if isinstance(value, str) else (7, value)
            return (kind, len(far), far, b"") if len(far) <= 4 else (kind, len(far), there, far)
        case _:
            return 4, 1, there, directory(value, end, order)


def tiff(
    fields: Mapping[int, Field], order: str = "<", following: Mapping[int, Field] | None = None
) -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + pack(f"{order}I", 8) + directory(fields, 8, order, following)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def frames(data: bytes) -> list[tuple[Any, ...]]:
    """Return all that is shown of a picture: each frame, and the colour profile."""
    # Pillow otherwise takes the preview of a JPEG file for a second frame.
    image = JpegImageFile(BytesIO(data)) if data[:2] == b"\xff\xd8" else Image.open(BytesIO(data))
    shown = ("icc_profile", "loop", "duration", "transparency", "background", "gamma", "dpi")
    return [
        (one.mode, one.size, one.tobytes(), *(one.info.get(name) for name in shown))
        for one in ImageSequence.Iterator(image)
    ]


def gradient(mode: str = "RGB", size: tuple[int, int] = (48, 32)) -> Image.Image:
    """Return a picture in which no two sides or bands are the same."""
    band = Image.radial_gradient("L").crop((0, 0, 200, 120)).resize(size)
    bands = [band.rotate(20 * turn) for turn in range(4)]
    return Image.merge("RGBA", bands).convert("RGB").convert(mode)


THUMBNAIL = encoded(gradient(size=(16, 8)), "JPEG", comment=SECRET.encode())
PREVIEW = encoded(gradient(size=(24, 16)), "JPEG", comment=SECRET.encode())
GPS: dict[int, Field] = {
    1: "N",
    2: [(27, 1), (59, 1), (1234, 100)],
    3: "E",
    4: [(86, 1), (55, 1), (3210, 100)],
}
NIKON = b"Nikon\0\x02\x10\0\0" + tiff(
    {
        1: b"0210",
        0x1D: f"{SECRET}-NIKON",
        0x11: {0x0201: Pointer(PREVIEW), 0x0202: len(PREVIEW)},
    }
)
APPLE = b"Apple iOS\0\0\x01MM" + directory({0x11: f"{SECRET}-APPLE"}, 14, ">")
CANON = directory({0x0C: 471100815}, 0)
MAKER_NOTES = {"NIKON CORPORATION": NIKON, "Apple": APPLE, "Canon": CANON}


def exif(make: str, orientation: int = 6, order: str = "<") -> bytes:
    """Return Exif metadata with a position, serial numbers, maker notes and a thumbnail."""
    return tiff(
        {
            0x010F: make,
            0x0110: f"{SECRET}-MODEL",
            ORIENTATION: orientation,
            0x013B: f"{SECRET}-ARTIST",
            0x8769: {
                0x927C: MAKER_NOTES[make],
                0xA430: f"{SECRET}-OWNER",
                0xA431: f"{SECRET}-BODY",
                0xA435: f"{SECRET}-LENS",
            },
            0x8825: GPS,
        },
        order,
        {0x0103: 6, 0x0201: Pointer(THUMBNAIL), 0x0202: len(THUMBNAIL)},
    )


def xmp(attributes: str = "") -> bytes:
    return f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
 xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/"
 xmlns:GCamera="http://ns.google.com/photos/1.0/camera/"
 exif:GPSLatitude="27,59.2N" exif:GPSLongitude="86,55.5E" aux:SerialNumber="{SECRET}-XMP"
 tiff:Orientation="3" {attributes}><xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType="Resource">
 <xmpGImg:format>JPEG</xmpGImg:format><xmpGImg:image>{b64encode(THUMBNAIL).decode()}</xmpGImg:image>
 </rdf:li></rdf:Alt></xmp:Thumbnails></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()


def video() -> bytes:
    """Return an MP4 file without pictures, with a position."""
    place = f"+27.9866+086.9255/{SECRET}".encode()
    text = pack(">HH", len(place), 0) + place
    movie = box(b"moov", box(b"udta", box(b"\xa9xyz", text)))
    return box(b"ftyp", b"mp42\0\0\0\0mp42isom") + movie + box(b"mdat", SECRET.encode())


def box(kind: bytes, content: bytes) -> bytes:
    return pack(">I", len(content) + 8) + kind + content


def segment(marker: int, payload: bytes) -> bytes:
    return pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def resource(number: int, content: bytes) -> bytes:
    """Return an image resource of Photoshop, without a name."""
    padding = bytes(len(content) % 2)
    return pack(">4sHHI", b"8BIM", number, 0, len(content)) + content + padding


def photoshop() -> bytes:
    city = f"{SECRET}-CITY".encode()
    iptc = pack(">BBBH", 0x1C, 2, 90, len(city)) + city
    header = pack(">IIIIIIHH", 1, 16, 8, 48, 384, len(THUMBNAIL), 24, 1)
    content = resource(0x0404, iptc) + resource(0x040C, header + THUMBNAIL)
    return segment(0xED, b"Photoshop 3.0\0" + content)


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    return encoded(gradient(mode), "JPEG", icc_profile=ICC_PROFILE, **options)


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """Return a JPEG file with more segments, after that of JFIF if it has one."""
    position = 4 + int.from_bytes(data[4:6]) if data[3] == 0xE0 else 2
    return data[:position] + b"".join(segments) + data[position:]


def exif_segment(content: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + content)


def xmp_segment(content: bytes) -> bytes:
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + content)


def phone_jpeg() -> bytes:
    """Return a photo with a preview behind it, and a video behind that."""
    film = video()
    attributes = f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(film)}"'
    head = exif_segment(exif("Apple", order=">")) + xmp_segment(xmp(attributes))

    def photo(size: int, offset: int) -> bytes:
        entries = pack("<5I", 0x20030000, size, 0, 0, 0)[:16]
        entries += pack("<3I", 0x00010001, len(PREVIEW), offset) + bytes(4)
        fields: dict[int, Field] = {0xB000: b"0100", 0xB001: 2, 0xB002: entries}
        return with_segments(jpeg(), head, segment(0xE2, b"MPF\0" + tiff(fields)))

    size = len(photo(0, 0))
    # Offsets count from the header of TIFF.
    start = photo(0, 0).index(b"MPF\0") + 4
    return photo(size, size - start) + PREVIEW + film


def camera_jpeg() -> bytes:
    """Return a progressive photo with a thumbnail in each place that JPEG has for one."""
    data = jpeg(progressive=True, comment=f"{SECRET}-COMMENT".encode(), dpi=(300, 300))
    small = segment(0xE0, data[6:18] + b"\x08\x04" + (SECRET.encode() * 16)[: 8 * 4 * 3])
    return with_segments(
        data[:2] + small + data[20:],
        segment(0xE0, b"JFXX\0\x10" + THUMBNAIL),
        exif_segment(exif("NIKON CORPORATION")),
        segment(0xE2, b"FPXR\0\0" + SECRET.encode()),
        segment(0xEB, b"JP" + SECRET.encode()),
    )


def editor_jpeg() -> bytes:
    """Return a picture for print, with what Photoshop writes."""
    extended = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + pack(">II", 9, 0)
    return with_segments(
        jpeg("CMYK"),
        exif_segment(exif("Canon")),
        photoshop(),
        xmp_segment(xmp()),
        segment(0xE1, extended + SECRET.encode()),
    )


def phone_png() -> bytes:
    text = PngInfo()
    text.add_text("Comment", SECRET)
    text.add_text("Author", SECRET, zip=True)
    text.add_itxt("XML:com.adobe.xmp", xmp().decode())
    raw = b"Exif\0\0" + exif("Canon")
    # As ImageMagick writes it.
    text.add_text("Raw profile type exif", f"\nexif\n{len(raw):8}\n{raw.hex()}\n", zip=True)
    text.add(b"tIME", bytes((7, 230, 5, 24, 12, 0, 0)))
    text.add(b"prVt", SECRET.encode())
    data = encoded(
        gradient("RGBA"),
        "PNG",
        pnginfo=text,
        exif=exif("Apple", order=">"),
        icc_profile=ICC_PROFILE,
        dpi=(72, 72),
    )
    return data + video()


def riff(chunks: bytes) -> bytes:
    return b"RIFF" + pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + pack("<I", len(content)) + content + bytes(len(content) % 2)


def camera_webp(**options: Any) -> bytes:
    data = encoded(
        gradient("RGBA"),
        "WEBP",
        exif=exif("NIKON CORPORATION"),
        xmp=xmp(),
        icc_profile=ICC_PROFILE,
        **options,
    )
    return riff(data[12:] + chunk(b"prVt", SECRET.encode() + b"!")) + video()


def editor_webp() -> bytes:
    """Return an animation with an unknown chunk in its first frame, too."""
    data = camera_webp(save_all=True, append_images=[gradient("RGBA").rotate(90)], loop=2)
    start = data.index(b"ANMF")
    end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
    frame = data[start + 8 : end] + chunk(b"prVt", SECRET.encode())
    return riff(data[12:start] + chunk(b"ANMF", frame) + data[end : -len(video())])


def editor_gif() -> bytes:
    """Return an animation with comments, text to be drawn, XMP and a colour profile."""
    data = encoded(
        gradient("P"),
        "GIF",
        save_all=True,
        append_images=[gradient("P").rotate(90)],
        loop=2,
        duration=70,
        comment=SECRET.encode(),
    )
    magic = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    start = data.index(b"!\xff\x0bNETSCAPE")
    grid = pack("<4H4B", 0, 0, 8, 8, 8, 8, 1, 0)
    more = (
        *(
            b"!\xff\x0bXMP DataXMP" + xmp() + magic,
            b"!\xff\x0bPRIVATE 1.0",
            blocks(SECRET.encode()),
        ),
        *(b"!\xff\x0bICCRGBG1012", blocks(ICC_PROFILE)),
        *(b"!\x01\x0c" + grid, blocks(SECRET.encode())),
        *(b"!\x99", blocks(SECRET.encode())),
    )
    return data[:start] + b"".join(more) + data[start:] + video()


def blocks(content: bytes) -> bytes:
    """Return sub-blocks of GIF, and their end."""
    parts = [content[start : start + 255] for start in range(0, len(content), 255)]
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def avif(mode: str = "RGB", orientation: int = 6, **options: Any) -> bytes:
    return encoded(
        gradient(mode),
        "AVIF",
        exif=exif("Apple", orientation, ">"),
        xmp=xmp(),
        icc_profile=ICC_PROFILE,
        **options,
    )


def phone_avif() -> bytes:
    return avif() + box(b"mpvd", video())


def editor_avif() -> bytes:
    """Return an animation with transparency."""
    # Pillow 13.0 crashes when it writes an animation with an orientation.
    turned = gradient("RGBA").rotate(90)
    return avif("RGBA", 1, save_all=True, append_images=[turned], duration=70)


GAIN_MAP = encoded(gradient("L"), "AVIF").partition(b"mdat")[2]
AVIF_THUMBNAIL = encoded(gradient(size=(16, 8)), "AVIF").partition(b"mdat")[2]


def camera_avif() -> bytes:
    """Return a photo with a gain map, and with a thumbnail and metadata in each place for them."""
    coded = encoded(gradient(), "AVIF")
    start = coded.index(b"ipco")
    properties = coded[start + 4 : start - 4 + int.from_bytes(coded[start - 4 : start])]
    properties += box(b"irot", b"\1") + box(b"udes", bytes(4) + SECRET.encode())
    exif_item = bytes(4) + exif("Apple", order=">")
    in_file = {
        1: coded.partition(b"mdat")[2],
        2: AVIF_THUMBNAIL + SECRET.encode(),
        3: xmp(),
        4: SECRET.encode() + b", which no item has",
        5: GAIN_MAP,
        6: b"a second picture, " + SECRET.encode(),
    }
    in_meta = {7: exif_item, 8: SECRET.encode() + b" as a URI item", 9: b"how to use the gain map"}
    kinds = {1: b"av01", 2: b"av01", 3: b"mime", 5: b"av01", 6: b"av01"}
    names = {b"mime": b"application/rdf+xml\0", b"uri ": b"tag:example.org\0"}
    kinds |= {7: b"Exif", 8: b"uri ", 9: b"tmap"}
    head = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + box(b"uuid", bytes(16) + SECRET.encode())
    locations = b""
    for method, data in enumerate((in_file, in_meta)):
        position = 0 if method else len(head) + 8
        for item, content in data.items():
            if item in kinds:
                locations += pack(">4H2I", item, method, 0, 1, position, len(content))
            position += len(content)
    entries = b"".join(
        box(b"infe", pack(">IHH4s", 2 << 24, item, 0, kind) + b"\0" + names.get(kind, b""))
        for item, kind in kinds.items()
    )
    references = (
        (b"thmb", 2, 1),
        (b"cdsc", 3, 1),
        (b"cdsc", 7, 1),
        (b"dimg", 9, 1, 5),
        (b"prem", 6, 1),
    )
    all_properties = b"\1\2\x83\4\x85\6"
    meta = (
        box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
        box(b"pitm", pack(">IH", 0, 1)),
        box(b"iloc", pack(">IHH", 1 << 24, 0x4400, len(kinds)) + locations),
        box(b"iinf", pack(">IH", 0, len(kinds)) + entries),
        box(
            b"iref",
            bytes(4)
            + b"".join(
                box(kind, pack(f">HH{len(to)}H", item, len(to), *to))
                for kind, item, *to in references
            ),
        ),
        box(
            b"iprp",
            box(b"ipco", properties)
            + box(
                b"ipma",
                bytes(4)
                + pack(">I", len(kinds))
                + b"".join(pack(">HB", item, 6) + all_properties for item in kinds),
            ),
        ),
        box(
            b"grpl",
            box(b"altr", pack(">5I", 0, 1, 2, 9, 1)) + box(b"ster", pack(">5I", 0, 2, 2, 1, 6)),
        ),
        box(b"free", SECRET.encode()),
        box(b"idat", b"".join(in_meta.values())),
        box(b"udta", SECRET.encode()),
    )
    return head + box(b"mdat", b"".join(in_file.values())) + box(b"meta", bytes(4) + b"".join(meta))


PICTURES = {
    "phone.jpg": phone_jpeg,
    "camera.jpg": camera_jpeg,
    "editor.jpg": editor_jpeg,
    "phone.png": phone_png,
    "camera.webp": camera_webp,
    "editor.webp": editor_webp,
    "editor.gif": editor_gif,
    "phone.avif": phone_avif,
    "camera.avif": camera_avif,
    "editor.avif": editor_avif,
}
