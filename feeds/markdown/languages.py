"""Which tags name a language."""

import re
from functools import cache

_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|\d{3}))?")
# What leads back from a footnote, for those who hear the page.
_BACK = {
    "ar": "العودة إلى المرجع {}",
    "en": "Back to reference {}",
    "es": "Volver a la referencia {}",
    "fr": "Retour à l’appel de note {}",
    "pt": "Voltar à referência {}",
    "ru": "Назад к сноске {}",
    "zh": "返回引用处 {}",
}


@cache
def is_language(tag: str) -> bool:
    """Return whether a BCP 47 tag of language, script and region names ones that CLDR knows."""
    found = _TAG.fullmatch(tag)
    if not found:
        return False
    # Loaded for bodies that name a language.
    from babel import Locale  # noqa: PLC0415

    names = Locale("en")
    language, script, region = found.groups("")
    return (
        language.lower() in names.languages
        and (not script or script.title() in names.scripts)
        and (not region or region.upper() in names.territories)
    )


def way_back(language: str, number: str) -> str:
    """Return the name of the link from a footnote back to where it is referred to."""
    return _BACK.get(language.partition("-")[0], "↩ {}").format(number)
