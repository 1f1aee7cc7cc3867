"""The HTML that feeds carry as an entry's content: its text with its photo and credit.

Many readers show the content alone, without Media RSS; and crediting a photo is
a legal duty.
"""

from html import escape

from feeds.model import Entry, Photo


def content(entry: Entry, body: str) -> str:
    """Return an entry's content as HTML, from its body's HTML; '' if it has no body and no photo.

    A photo comes first, unless the body shows the same picture; a credit without
    a picture comes last. An entry without a body has its summary as text.
    """
    photo = entry.photo
    if not photo or not (photo.url or photo.credit):
        return body
    summary = f"<p>{escape(entry.summary, quote=False)}</p>" if entry.summary else ""
    text = body or summary
    if photo.url and f'src="{escape(photo.url)}"' not in body:
        return "\n".join(filter(None, (_figure(photo), text)))
    credit = escape(photo.credit, quote=False)
    if not credit or credit in body:
        return text
    return "\n".join(filter(None, (text, f"<p><small>{credit}</small></p>")))


def _figure(photo: Photo) -> str:
    size = {"width": photo.width, "height": photo.height}
    sizes = "".join(f' {name}="{value}"' for name, value in size.items() if value)
    image = f'<img src="{escape(photo.url)}" alt="{escape(photo.alt)}"{sizes}>'
    credit = f"<figcaption>{escape(photo.credit, quote=False)}</figcaption>" if photo.credit else ""
    return f"<figure>{image}{credit}</figure>"
