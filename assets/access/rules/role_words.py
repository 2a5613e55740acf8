"""Which role each word of users.role stands for, decided once per normalised word.

A word matches the legacy role of its name; one that names none makes a role without permissions. A legacy role of the name
that comes later takes the made role over, and while it has that row the word is its own; when it is gone, the word has the
row back; when it is renamed, the word makes a second role. Belongs here: these decisions. Does not belong here: which of
several legacy roles of one name stands (see roles), or links of users (see user_roles).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from assets.access.rules.maps import ROLE_OF_WORD
from assets.shared.winners import Winners
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.text import common_spelling, normalise, tidy
from remoteiq_etl.spec.decisions import SAME_AS, TAKES_ROW_OF, Decision, StoredDecisions
from remoteiq_etl.spec.transform_context import Context

USERS_ROLE = ROLE_OF_WORD[1]
MATCHED, MADE, MADE_SECOND = "matched_role", "made_from_users_role", "made_anew"
TAKES_OVER, LAPSED = "joins_made_role", "lapsed"
WORD = "word"  # of a decision about a legacy role: the word whose made role it took over
SECOND = "  "  # in front of the key of a word's second role: no normalised word begins like this


@dataclass(frozen=True)
class NamedRoles:
    """The legacy roles by normalised name: the one that stands for each name, and the name of each."""

    standing: Mapping[str, str]
    name_of: Mapping[str, str]

    @classmethod
    def of(cls, found: Winners) -> "NamedRoles":
        """The legacy roles with those that stand for the others."""
        standing = {winner: name for name, winner in found.winner.items()}
        return cls(found.winner, standing | {loser: standing[winner] for loser, winner in found.losers.items()})


@dataclass(frozen=True)
class TakeOvers:
    """The recorded take-overs of made roles: those of legacy roles that are there, and by word the role that is gone."""

    standing: Mapping[str, Decision]
    ended: Mapping[str, str]

    @classmethod
    def of(cls, recorded: StoredDecisions, roles: NamedRoles) -> "TakeOvers":
        """Take-overs of earlier runs."""
        known = {key: one for key, one in recorded.of("roles").items() if one.rule == TAKES_OVER}
        return cls(
            {key: one for key, one in known.items() if key in roles.name_of},
            {one.values[WORD]: key for key, one in known.items() if key not in roles.name_of},
        )


@dataclass(frozen=True)
class RoleWords:
    """What is decided about words: the role of each, and the legacy roles that take a made one over or did so once."""

    words: list[Decision]
    taking_over: list[Decision]
    lapsed: list[Decision]
    #: The words whose role is made, with its name.
    made: Mapping[str, str]

    @property
    def decisions(self) -> list[Decision]:
        """All of them."""
        return [*self.words, *self.taking_over, *self.lapsed]

    @property
    def new_keys(self) -> Mapping[str, str | None]:
        """The id of the made role that each legacy role takes over."""
        return {one.legacy_key: one.new_key for one in self.taking_over}


def decide_words(users: pd.DataFrame, found: Winners, recorded: StoredDecisions, context: Context) -> RoleWords:
    """The role of each word. `users`: how many have each word; `found`: who stands for each name of a legacy role."""
    roles = NamedRoles.of(found)
    earlier = TakeOvers.of(recorded, roles)
    words = [with_row_back(word, roles, earlier) for word in roles_of_words(users, roles, recorded, context)]
    made = [word for word in words if word.rule == MADE and word.legacy_key not in roles.standing]
    return RoleWords(
        words,
        taking_over_made_roles(words, roles, earlier, context),
        [Decision("roles", key, LAPSED, {WORD: word}) for word, key in earlier.ended.items()],
        {word.legacy_key: word.values["name"] for word in made},
    )


def roles_of_words(
    users: pd.DataFrame, roles: NamedRoles, recorded: StoredDecisions, context: Context
) -> Iterator[Decision]:
    """One decision per word; a recorded one stays while the role that it names is there."""
    spellings = spellings_of(users)
    renamed = renamed_since(recorded, roles)
    made_ids = ids_of_made_roles([word for word in spellings if word not in renamed], context)
    for word, uses in spellings.items():
        known = recorded.get(USERS_ROLE, word)
        if word in renamed and word not in roles.standing:
            yield from second_role(word, recorded.get(USERS_ROLE, SECOND + word), uses)
        elif known is not None and is_there(known, roles, made_ids):
            yield known
        else:
            yield matched_role(word, roles) if word in roles.standing else made_role(word, uses)


def spellings_of(users: pd.DataFrame) -> dict[str, Counter[str]]:
    """How often each spelling of a word is used, by normalised word; a blank is no word."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for role, count in zip(users["role"], users["users"], strict=True):
        word, spelling = normalise(role), tidy(role)
        if word and spelling:
            spellings[word][spelling] += count
    return spellings


def matched_role(word: str, roles: NamedRoles) -> Decision:
    """The word matches the legacy role that stands for its name."""
    return Decision(USERS_ROLE, word, MATCHED, {SAME_AS: ["roles", roles.standing[word]]})


def made_role(word: str, uses: Counter[str]) -> Decision:
    """No such role: one without permissions is made, in the spelling used most often."""
    return Decision(USERS_ROLE, word, MADE, {"name": common_spelling(uses.elements())})


def second_role(word: str, known: Decision | None, uses: Counter[str]) -> Iterator[Decision]:
    """The word makes another role: its first one went with a legacy role that has another name now."""
    key = SECOND + word
    yield Decision(USERS_ROLE, word, MADE_SECOND, {SAME_AS: [USERS_ROLE, key]})
    yield known or replace(made_role(word, uses), legacy_key=key)


def is_there(known: Decision, roles: NamedRoles, made_ids: Mapping[str, str]) -> bool:
    """Whether the role that a recorded decision names is there: a made one, or a legacy one that has its name still."""
    if known.rule == MADE:
        return known.legacy_key not in roles.standing or known.legacy_key in made_ids
    return roles.name_of.get(known.values[SAME_AS][1]) == known.legacy_key


def renamed_since(recorded: StoredDecisions, roles: NamedRoles) -> set[str]:
    """Words whose made role was taken over by a legacy role that has another name now."""
    known = [one for one in recorded.of("roles").values() if one.rule == TAKES_OVER]
    words = {one.legacy_key: str(one.values[WORD]) for one in known}
    return {word for key, word in words.items() if roles.name_of.get(key, word) != word}


def ids_of_made_roles(words: list[str], context: Context) -> dict[str, str]:
    """The ids of the roles that earlier runs made of words."""
    ids = context.lookup(*ROLE_OF_WORD).find(pd.Series(words, dtype=TEXT))
    return {word: key for word, key in zip(words, ids, strict=True) if isinstance(key, str)}


def with_row_back(word: Decision, roles: NamedRoles, earlier: TakeOvers) -> Decision:
    """A word has its row back from a legacy role that is gone; while one of its name is there, that counts no more."""
    if word.rule != MADE:
        return word
    if word.legacy_key in roles.standing:
        return replace(word, values={name: value for name, value in word.values.items() if name != TAKES_ROW_OF})
    former = earlier.ended.get(word.legacy_key)
    return replace(word, values={**word.values, TAKES_ROW_OF: ["roles", former]}) if former else word


def taking_over_made_roles(
    words: list[Decision], roles: NamedRoles, earlier: TakeOvers, context: Context
) -> list[Decision]:
    """Legacy roles that came after a role of their name had been made take its row over."""
    made_ids = ids_of_made_roles([word.legacy_key for word in words if word.rule == MADE], context)
    taken = {decision.new_key for decision in earlier.standing.values()}
    new = [
        Decision("roles", roles.standing[word], TAKES_OVER, {WORD: word, TAKES_ROW_OF: _had_by(word, earlier)}, made)
        for word, made in made_ids.items()
        if word in roles.standing and made not in taken
    ]
    return [*earlier.standing.values(), *new]


def _had_by(word: str, earlier: TakeOvers) -> list[str]:
    """Who had the row of a made role last: the legacy role that is gone, else the word itself."""
    return ["roles", earlier.ended[word]] if word in earlier.ended else [USERS_ROLE, word]
