"""An entry's photo in Media RSS (https://www.rssboard.org/media-rss), in Atom as in RSS."""

from lxml import etree

from feeds.model import Photo

MEDIA = "http://search.yahoo.com/mrss/"


def add_photo(element: etree._Element, photo: Photo | None) -> None:
    """Append a photo with its credit inside, or a credit alone."""
    if not photo:
        return
    if photo.url:
        element = etree.SubElement(element, f"{{{MEDIA}}}content", url=photo.url)
        for name, value in _media_attributes(photo).items():
            element.set(name, value)
    if photo.alt:
        etree.SubElement(element, f"{{{MEDIA}}}description", type="plain").text = photo.alt
    if photo.credit:
        etree.SubElement(element, f"{{{MEDIA}}}credit").text = photo.credit


def _media_attributes(photo: Photo) -> dict[str, str]:
    attributes = {
        "medium": "image",
        "type": photo.media_type,
        "fileSize": photo.length,
        "width": photo.width,
        "height": photo.height,
    }
    return {name: str(value) for name, value in attributes.items() if value}
