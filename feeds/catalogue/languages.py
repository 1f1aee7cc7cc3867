"""Language tags, as an editor writes them."""

import re

from feeds.catalogue.reader import Fault, Remark

_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|\d{3}))?")
# ISO 639-1. Of three letters there are thousands, and some that are nobody's.
_LANGUAGES = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy"
    " da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu"
    " hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb"
    " lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om"
    " or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv"
    " sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu".split()
)
# Of a code in letters; others have three, or are numbers.
_SHORT = 2
_NOBODYS = re.compile("q[a-t][a-z]")
# ISO 3166-1, Kosovo, and what BCP 47 has beside them.
_REGIONS = frozenset(
    "AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ"
    " BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CR CU CV CW CX CY CZ DE DG DJ DK"
    " DM DO DZ EA EC EE EG EH ER ES ET EU EZ FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP"
    " GQ GR GS GT GU GW GY HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH"
    " KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO"
    " MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL"
    " PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV"
    " SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG"
    " VI VN VU WF WS XK YE YT ZA ZM ZW".split()
)
# A country's code is not that of its language, nor a code what all the world says.
_MEANT = {"cn": "zh", "cz": "cs", "dk": "da", "gr": "el", "jp": "ja", "ua": "uk", "UK": "GB"}


def language_tag(text: str) -> str:
    """Read a BCP 47 tag of language, script and region, in its usual case: `en`, `zh-Hant-TW`.

    Raises Remark where nobody knows the language or the region: the tag is right
    all the same.
    """
    found = _TAG.fullmatch(text)
    if not found:
        raise Fault("is no language tag; write it like en, pt-BR or zh-Hant")
    language, script, region = found[1].lower(), (found[2] or "").title(), (found[3] or "").upper()
    tag = "-".join(filter(None, (language, script, region)))
    if _NOBODYS.fullmatch(language) or (len(language) == _SHORT and language not in _LANGUAGES):
        raise Remark(tag, f"no language has the code {language!r}{_hint(language)}")
    if len(region) == _SHORT and region not in _REGIONS:
        raise Remark(tag, f"no country has the code {region!r}{_hint(region)}")
    return tag


def _hint(code: str) -> str:
    return f"; did you mean {_MEANT[code]}?" if code in _MEANT else ""
