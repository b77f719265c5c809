"""Finds characters of a text that was read in a wrong encoding, such as "Ã©" for "é".

Each character of UTF-8 beyond ASCII is two to four bytes. Read in Latin-1 or Windows-1252, each
byte becomes a character of its own: a lead ("Ã", "â", "Ð") and one to three others ("©", "€™").
Sound text in any language has accents, but not in such an order, except where a capital or an
accented letter stands before a closing mark: "NÃO", "CAFÉ»", "fatigué…”", "120 Å²".

Belongs here: such patterns, and characters that stand for lost ones. Does not: mending such a text,
because bytes may be lost, or reading files in their encoding (generation.imports).
"""

import re

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.output_rules import MojibakeRule
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, excerpt
from bioinstruct_dagster.sign_clauses import SEARCHED_CHARACTERS
from bioinstruct_dagster.signs import SignSearch

# The bytes 80 to BF as characters of Latin-1 and Windows-1252. Those of the first line also stand
# after a letter in sound text.
CLOSING = "»”“’‘›…–—™®°²³¹ªº·‚\u00a0\u00ad"
OTHER = "¡¢£¤¥¦§¨©«¬¯±´µ¶¸¼½¾¿€ƒ„†‡ˆ‰Š‹ŒŽ•˜šœžŸ\u0080-\u009f"
ANY = f"{OTHER}{CLOSING}"
# Leads of Latin letters and signs of Latin-1 ("Ã©", "Â°"): the most frequent ones.
LATIN = (
    f"[ÂÃ][{OTHER}]"
    # Not the last letter of a word in capitals, "NÃ…", nor a letter by itself, "Â".
    f'|(?<![A-ZÀ-ÞĀ-Ž"“„«(])[ÂÃ][{CLOSING}]'
    # Spaces are often normalized, so "Ã\u00a0" (à) is "Ã ".
    "|(?<=[a-zß-öø-ÿ0-9.,;:])[ÂÃ](?![A-ZÀ-ÞĀ-Ž])"
)
# Signs of three bytes ("â€™" for an apostrophe, "â‰¥", "â†’"), emoji, the mark of byte order.
SIGNS = f"â[€‚„†‡ˆ‰‹‘’“”•–—][{ANY}]|â[\u0080-\u009f]|ðŸ|ï»¿|ï¿½"
# Greek letters, one of which is enough ("Î²-blocker"), and letters of Central Europe in a word.
GREEK = f"[ÎÏ][{OTHER}²³¹ªº·‚]|(?<![A-ZÀ-Þ\"“„«‘('])[ÎÏ][»”“’‘›…–—™®°]"
CENTRAL = f"[ÄÅ][¡¢£¥§¨«¬¯´¶¸¼¾¿ƒ„†‡ˆ‰Š‹ŒŽ˜šœžŸ](?=[a-z])|(?<=[a-z])[ÄÅ][{ANY}]"
# Other scripts, where one pair may be chance: Cyrillic, Hebrew, Arabic; then three bytes each, as
# of Chinese, of which at least one must not be a closing mark.
PAIRS = f"(?:[ÐÑ×ØÙÚÛÅÄ][{ANY}][^\\w\\s]?){{2,}}"
FIRST = "[àáãäåæçèéêëìí]"
TRIPLES = (
    f"{FIRST}[{OTHER}]{{2}}|{FIRST}(?=[{ANY}]?[{OTHER}])[{ANY}]{{2}}(?=.{{0,3}}{FIRST}[{ANY}]{{2}})"
)
# UTF-8 read as Windows-1251 ("Рґ"), as MacRoman ("‚Äô", "√©"), and U+FFFD read as GBK.
OTHER_TABLES = (
    "(?:[РС][\u0080-\u00bfЂЃѓ€Љ‹ЊЌЋЏђ‘’“”•–—™љ›њќћџЎўЈҐЁЄЇІіґёєјЅѕї№]){3,}"
    "|‚Ä[ôúùìîö¢¶]|√[©®†∂ß∫º≥]|¬[∞µ±](?!\\w)|锟斤|烫烫烫"
)
# The sign for a lost character, a byte that no table knows, and written codes of characters.
LOST = (
    "\ufffd|[\u0080-\u009f]|\\\\u(?!00[0-7])[0-9a-fA-F]{4}(?![0-9a-zA-Z]{2})"
    "|\\\\u(?:00[89a-f]|20)[0-9a-f]|\\\\x[c-e][0-9a-f]\\\\x[89ab][0-9a-f]"
)
# The spaces of tokenizers: "▁The▁patient", "ĠtheĠpatient".
TOKENS = "(?:[▁Ġ]\\w{1,40}.{0,2}){3}"
MOJIBAKE = re.compile(
    f"{LATIN}|{SIGNS}|{GREEK}|{CENTRAL}|{PAIRS}|{TRIPLES}|{OTHER_TABLES}|{LOST}|{TOKENS}"
)
CONTEXT_CHARACTERS = 20  # before the match, in the evidence


def mojibake_check(rule: MojibakeRule) -> RowCheck:
    """A check for characters of a wrong encoding."""
    spared = SignSearch(rule.unless)

    def check(row: RowTexts) -> RuleMatch | None:
        for name in rule.fields:
            text = getattr(row, name)
            # Only written codes are ASCII.
            if text.isascii() and "\\u" not in text and "\\x" not in text:
                continue
            found = MOJIBAKE.search(text, 0, SEARCHED_CHARACTERS)
            if found is not None and spared.search(row.instruction) is None:
                saw = text[max(0, found.start() - CONTEXT_CHARACTERS) :]
                return RuleMatch({"field": name, "saw": excerpt(saw)})
        return None

    return check
