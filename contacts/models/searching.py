"""Finding people as somebody types: who has the words, who fits best, who is called nearly that.

All of it looks at `Contact.search_text`, which reindex() keeps: a line with the name, a tab and the
organisation, then a line with everything else, all as `searched` writes it.
"""

from functools import reduce
from operator import add, or_

from django.contrib.postgres.lookups import TrigramWordSimilar
from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Collate, Left
from django.db.models.lookups import Contains, StartsWith

from contacts.models.words import digits_of, split_numbers, words_of
from netcrm.owned import OwnedQuerySet

# Of 1, the share of a typed word's trigrams that a name must have. One letter too many, too few or
# wrong leaves 0.4 in every word of six letters and more, and in most of four or five.
NEARLY = 0.4
# A shorter word is nearly everything.
SHORTEST = 4
# How many are called nearly that, if nobody says otherwise.
A_FEW = 5


def _before(separator, text):
    # PostgreSQL counts from 1.
    split = {"function": "split_part", "output_field": TextField()}
    return Func(text, Value(separator), Value(1), **split)


# Émile stands between Emil and Emilia, whatever order the database was set up with; and in this
# order the beginning of a name can be looked up.
ALPHABETICAL = Collate(Left("search_text", 60), "C")
NAMES = _before("\n", "search_text")


class InName(Contains):
    """The word stands before the tab."""

    param_pattern = "%%%s%%\t%%"


def named(person):
    """Return the condition, a function of a word, that the name or the organisation of a related
    contact has it; for with_words()."""

    def condition(word):
        names = _before("\n", f"{person}__search_text")
        has = Q(*[Contains(names, part) for part in words_of(word)])
        return has & Q(**{f"{person}__owner": F("owner")})

    return condition


def known(person):
    """Return the condition, a function of a word, that it stands in anything that is written about
    a related contact; for with_words()."""

    def condition(word):
        has = Q(*[(f"{person}__search_text__contains", part) for part in words_of(word)])
        return has & Q(**{f"{person}__owner": F("owner")})

    return condition


class SearchedQuerySet(OwnedQuerySet):
    def search(self, text):
        """Return the contacts that have every word and every number, in any order; ignored are
        accents, case, apostrophes, hyphens, and how a number is written."""
        numbers, rest = split_numbers(text)
        for number in numbers:
            # Not everything with so many digits is a telephone number.
            as_typed = Q(*[Q(search_text__contains=part) for part in words_of(number)])
            self = self.filter(as_typed | Q(search_text__contains=digits_of(number)))
        for word in words_of(rest):
            self = self.filter(search_text__contains=word)
        return self

    def best(self, text, most):
        """Return at most so many of those that search() finds, as a list: first those whose name
        begins with one of the words, then those with all words in their name, then the others.

        Each is a query of its own, which has its own index, and is not asked when those before it
        found enough: two more queries than words at most.
        """
        found = []
        for people in self._from_best_to_least(text):
            unknown = people.exclude(pk__in=[person.pk for person in found])
            found += unknown.order_by(ALPHABETICAL, "id")[: most - len(found)]
            if len(found) == most:
                break
        return found

    def _from_best_to_least(self, text):
        numbers, rest = split_numbers(text)
        words, people = words_of(rest), self.search(text)
        for word in words:
            yield people.filter(StartsWith(ALPHABETICAL, word[:60]))
        if words and not numbers:
            yield self.filter(*[InName(NAMES, word) for word in words])
        yield people

    def like(self, text, most=A_FEW):
        """Return at most so many contacts whose name or organisation is nearly what was typed, as
        a list, the nearest first. Words that are found as they are may stand anywhere.

        Two queries at most: letters that changed places are looked up quickly, and mostly enough.
        """
        if not any(map(_is_long, words_of(text))):
            return []
        slipped = self.among(self._with(text, _slipped))
        found = list(slipped.order_by(ALPHABETICAL, "id")[:most])
        if len(found) < most:
            others = self._with(text, lambda word: _slipped(word) | _similar(word))
            others = others.exclude(pk__in=[person.pk for person in found])
            others = others.order_by(_nearness(text), ALPHABETICAL, "id")
            found += _with_threshold(others[: most - len(found)])
        return found

    def _with(self, text, nearly):
        for word in words_of(text):
            has = Q(search_text__contains=word)
            self = self.filter(has | nearly(word) if _is_long(word) else has)
        return self


def _is_long(word):
    return len(word) >= SHORTEST


def _slipped(word):
    """Return the condition that a name has the word with two neighbouring letters exchanged: that
    slip breaks most trigrams of a short name."""
    places = range(len(word) - 1)
    meant = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in places}
    return reduce(or_, [Q(Contains(NAMES, each)) for each in sorted(meant)])


def _similar(word):
    return Q(TrigramWordSimilar(NAMES, word))


def _nearness(text):
    words = filter(_is_long, words_of(text))
    return reduce(add, [TrigramWordSimilarity(word, NAMES) for word in words]).desc()


def _with_threshold(people):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL pg_trgm.word_similarity_threshold = %s", [NEARLY])
        return list(people)
