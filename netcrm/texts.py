"""Full text search: words as they are typed, or only their beginnings, in texts of any language.

The text search configuration `netcrm` (made by a migration of contacts) knows no accents and no
case, stems nothing and stops at nothing.
"""

import re
from functools import reduce
from operator import and_

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import Lexeme, SearchQuery, SearchVector, SearchVectorExact
from django.db.models import F, Func, Q, TextField, Value

CONFIG = "netcrm"
# What would make PostgreSQL take several words for one address, path, number or tag; and signs of
# typesetting, which are letters where the database has no locale.
_SIGNS = (
    "@./\\-_:~&<>+=?%#"
    "‘’‚‛“”„‹›«»‐‑‒–—―…·•¿¡§¶°©®™×"
    "、。，．；：？！（）「」『』【】《》・"
    "\u00a0\u2009\u202f\u200b\u3000"
)
_WORDS = re.compile(r"[^\W_]+")
# Signs that belong to a word: who types them wants them to be there. An apostrophe and a hyphen
# are written in many ways.
_MEANT = re.compile(r"[^\w\s'’‘\-‐‑–.,;:!?()\"]")
# Thai, Lao, Burmese, Khmer, Japanese and Chinese put no spaces between words.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


def text_of(*fields):
    """Return the words of text fields of one table, as an index keeps them."""
    spaced = [Func(name, Value(_SIGNS), Value(" " * len(_SIGNS)), **_TRANSLATE) for name in fields]
    return SearchVector(*spaced, config=CONFIG)


_TRANSLATE = {"function": "translate", "output_field": TextField()}


def text_index(*fields, name, condition=None):
    """Return the index that in_text() needs for these fields of a table."""
    owner = OpClass("owner_id", "int8_ops")
    return GinIndex(owner, text_of(*fields), name=name, condition=condition)


def in_text(*fields):
    """Return the condition, a function of a word, that a word in one of the text fields begins
    with it. All fields belong to one table of owned rows."""
    where = fields[0].rpartition("__")[0]

    def condition(word):
        holds = _begins(word, fields)
        return holds & Q(**{f"{where}__owner": F("owner")}) if where else holds

    return condition


def _begins(word, fields):
    parts = _WORDS.findall(word)
    anywhere = Q(*[(f"{name}__unaccent__icontains", word) for name in fields], _connector=Q.OR)
    if not parts or _UNSPACED.search(word):
        return anywhere
    wanted = reduce(and_, (Lexeme(part, prefix=True) for part in parts))
    holds = Q(SearchVectorExact(text_of(*fields), SearchQuery(wanted, config=CONFIG)))
    return holds & anywhere if _MEANT.search(word) else holds
