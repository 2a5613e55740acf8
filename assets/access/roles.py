"""Roles of the organization: one row per normalised role name, from legacy roles and from words of users.role.

Known faults of the data: names that differ in case or white space alone, descriptions kept in two tables, and users
whose role word names no role at all.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
from sqlalchemy import func, select

from assets.access.rules.words import lowered
from assets.shared.winners import GROUP, Winners, decide_winners, winners_of
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame
from remoteiq_etl.frames.text import common_spelling, is_blank, normalise, normalised, tidy
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import SAME_AS, TAKES_ROW_OF, Decide, Decided, Decision, StoredDecisions, warned
from remoteiq_etl.spec.dispositions import merged
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.times import first_of
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

USERS_ROLE = "users.role"
MATCHED, MADE, JOINS, LAPSED = "matched_role", "made_from_users_role", "joins_made_role", "lapsed"
MADE_ANEW = "made_anew"
UNKNOWN = {"description": TEXT, "created_at": TIMESTAMP, "updated_at": TIMESTAMP}  # of a role that was made of a word
WORD = "word"  # of a decision about a legacy role: the word of users.role whose made role it took over
ANEW = "  "  # in front of the key of a word's second role: no normalised word begins like this
SCOPE = "organization"


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Who wins of equal names; which word of users.role stands for which role; which words make a role of their own."""
    roles = inputs["roles"].sort_values(["created_at", "id"])
    rows = pd.DataFrame({KEY: roles["id"], GROUP: normalised(roles["name"])})
    found = decide_winners(rows, recorded, "roles.name", "oldest", heirs_of="roles")
    left = left_behind(recorded, found)
    words = decide_words(inputs["users"], found, recorded, context)
    words = [with_row_back(word, found, left) for word in words]
    made = [word for word in words if word.rule == MADE and word.legacy_key not in found.winner]
    joins = joining(words, found, recorded, context, left)
    lapsed = [Decision("roles", key, LAPSED, {WORD: word}) for word, key in left.items()]
    return Decided(
        decisions=[*found.decisions, *words, *joins, *lapsed],
        rows={USERS_ROLE: frame({KEY: [w.legacy_key for w in made], "name": [w.values["name"] for w in made]})},
        prepared={
            "losers": found.losers,
            "joined": {join.legacy_key: join.new_key for join in joins},
            "roles": dict(zip(roles["name"], roles["id"], strict=True)),
            **meta(inputs),
        },
        warnings=[*found.warnings, *warned(MADE, USERS_ROLE, [word.legacy_key for word in made])],
    )


def decide_words(users: pd.DataFrame, found: Winners, recorded: StoredDecisions, context: Context) -> list[Decision]:
    """One decision per normalised word of users.role; a recorded one stays while the role that it names is there."""
    spellings = spellings_of(users)
    group_of = {winner: group for group, winner in found.winner.items()}
    group_of |= {loser: group_of[winner] for loser, winner in found.losers.items()}
    renamed = renamed_since(recorded, group_of)
    made_ids = ids_of_made([word for word in spellings if word not in renamed], context)
    decisions = []
    for word, counts in spellings.items():
        known = recorded.get(USERS_ROLE, word)
        if word in renamed and word not in found.winner:
            decisions += made_anew(word, recorded.get(USERS_ROLE, ANEW + word), common_spelling(counts.elements()))
        elif known is not None and _holds(known, group_of, found, made_ids):
            decisions.append(known)
        elif word in found.winner:
            decisions.append(Decision(USERS_ROLE, word, MATCHED, {SAME_AS: ["roles", found.winner[word]]}))
        else:
            decisions.append(Decision(USERS_ROLE, word, MADE, {"name": common_spelling(counts.elements())}))
    return decisions


def spellings_of(users: pd.DataFrame) -> dict[str, Counter[str]]:
    """How often each spelling of a role word is used, by normalised word."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for role, count in zip(users["role"], users["users"], strict=True):
        word, spelling = normalise(role), tidy(role)
        if word and spelling:
            spellings[word][spelling] += count
    return spellings


def renamed_since(recorded: StoredDecisions, group_of: Mapping[str, str]) -> set[str]:
    """Words whose made role was taken over by a legacy role that has another name now."""
    joined = [known for known in recorded.of("roles").values() if known.rule == JOINS]
    words = {known.legacy_key: known.values[WORD] for known in joined}
    return {word for key, word in words.items() if group_of.get(key, word) != word}


def made_anew(word: str, known: Decision | None, name: str) -> list[Decision]:
    """The word makes a second role: its first one went with a legacy role that has another name now."""
    return [
        Decision(USERS_ROLE, word, MADE_ANEW, {SAME_AS: [USERS_ROLE, ANEW + word]}),
        known or Decision(USERS_ROLE, ANEW + word, MADE, {"name": name}),
    ]


def ids_of_made(words: list[str], context: Context) -> dict[str, str]:
    """The ids of the roles that earlier runs made from words."""
    ids = context.lookup("roles", USERS_ROLE).find(pd.Series(words, dtype=TEXT))
    return {word: key for word, key in zip(words, ids, strict=True) if isinstance(key, str)}


def left_behind(recorded: StoredDecisions, found: Winners) -> dict[str, str]:
    """The made roles whose legacy role, which had taken them over, is gone: its key by their word."""
    keys = set(found.winner.values()) | set(found.losers)
    joined = {key: known for key, known in recorded.of("roles").items() if known.rule == JOINS}
    return {known.values[WORD]: key for key, known in joined.items() if key not in keys}


def with_row_back(word: Decision, found: Winners, left: Mapping[str, str]) -> Decision:
    """A word whose made role is left behind has its row back; while a legacy role has it, what it once got counts no more."""
    if word.rule != MADE:
        return word
    if word.legacy_key in found.winner:
        return replace(word, values={name: value for name, value in word.values.items() if name != TAKES_ROW_OF})
    former = left.get(word.legacy_key)
    return replace(word, values={**word.values, TAKES_ROW_OF: ["roles", former]}) if former else word


def joining(
    words: list[Decision], found: Winners, recorded: StoredDecisions, context: Context, left: Mapping[str, str]
) -> list[Decision]:
    """Legacy roles that came after a role of that name had been made from users.role: they take its row over."""
    made_ids = ids_of_made([word.legacy_key for word in words if word.rule == MADE], context)
    keys = set(found.winner.values()) | set(found.losers)
    kept = {key: known for key, known in recorded.of("roles").items() if known.rule == JOINS and key in keys}
    taken = {decision.new_key for decision in kept.values()}
    new = [
        Decision("roles", found.winner[word], JOINS, {WORD: word, TAKES_ROW_OF: _had(word, left)}, made)
        for word, made in made_ids.items()
        if word in found.winner and made not in taken
    ]
    return [*kept.values(), *new]


def _had(word: str, left: Mapping[str, str]) -> list[str]:
    """Whose row a made role is: that of the legacy role that is gone, else its own."""
    return ["roles", left[word]] if word in left else [USERS_ROLE, word]


def meta(inputs: Mapping[str, pd.DataFrame]) -> dict[str, Mapping[str, object]]:
    """Descriptions and times of role_meta by role name."""
    rows = inputs["role_meta"]
    return {
        "descriptions": dict(zip(rows["role_name"], rows["description"], strict=True)),
        "updated": dict(zip(rows["role_name"], rows["updated_at"], strict=True)),
    }


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy role becomes one role of the organization; of equal names the others are merged into the oldest."""
    winners = winners_of(batch, context.prepared["losers"])
    batch.quarantine(is_blank(batch["name"]), "blank_name", "name")
    batch.merge(winners.notna(), "equal_name", into=winners)
    for column in ("name", "description", "created_at"):
        batch.keep(winners.notna(), column, "merged")
    joined = pd.Series([context.prepared["joined"].get(key) for key in batch.keys], dtype=TEXT)
    mapped = joined.fillna(context.lookup("roles").find(batch.keys))
    batch["id"] = mapped.fillna(context.kept_or_derived("roles", "roles", batch["id"]))
    _of_the_organization(batch, context)
    batch["description"] = descriptions(batch, context, winners.isna())
    batch["created_at"] = batch["created_at"]
    updated = [context.prepared["updated"].get(name) for name in batch["name"]]
    batch["updated_at"] = first_of(pd.Series(updated, dtype=TIMESTAMP), batch["created_at"])
    return batch


def descriptions(batch: Batch, context: Context, stays: pd.Series) -> pd.Series:
    """role_meta's description, else the role's own; one that loses is superseded."""
    own = batch["description"]
    other = pd.Series([context.prepared["descriptions"].get(name) for name in batch["name"]], dtype=TEXT)
    chosen = other.mask(is_blank(other), own).fillna(other)
    batch.keep(stays & (own != chosen), "description", "superseded")
    return chosen


def transform_meta(batch: Batch, context: Context) -> Batch:
    """Each row is merged into its role; what that does not take over is archived. Its words: see role_permissions."""
    roles = pd.Series([context.prepared["roles"].get(name) for name in batch["role_name"]], dtype=TEXT)
    batch.quarantine(is_blank(batch["role_name"]), "parent_quarantined", "role_name", detail="its role is quarantined")
    batch.hold(roles.isna(), "roles", batch["role_name"], "role_name")
    lost = roles.isin(list(context.prepared["losers"]))
    batch.keep(lost | is_blank(batch["description"]), "description", "superseded")
    batch.keep(lost, "updated_at", "superseded")
    lists = [words if isinstance(words, list) else [] for words in batch["permissions"]]
    changed = [list(lowered(pd.Series(words, dtype=TEXT))) != words for words in lists]
    batch.keep(pd.Series(changed, dtype=bool), "permissions", "normalised", json_text.texts(lists))
    batch.merge(batch.is_open(), "role_meta")
    return batch


def transform_made(batch: Batch, context: Context) -> Batch:
    """One word of users.role that names no legacy role becomes a role without permissions.

    It has the columns of a legacy one, null where nothing is known, so that one which takes it over can be compared.
    """
    batch["id"] = context.derive_many("roles", "derived", batch.keys)
    _of_the_organization(batch, context)
    for column, dtype in UNKNOWN.items():
        batch[column] = pd.Series([None] * len(batch.legacy), dtype=dtype)
    return batch


def _of_the_organization(batch: Batch, context: Context) -> None:
    batch["organization_id"] = context.organization_id
    batch["scope"] = SCOPE
    batch["name"] = batch["name"]


def _holds(known: Decision, group_of: Mapping[str, str], found: Winners, made_ids: Mapping[str, str]) -> bool:
    word = known.legacy_key
    if known.rule == MADE:
        return word not in found.winner or word in made_ids
    return group_of.get(known.values[SAME_AS][1]) == word


SPEC = TableSpec(
    target=target.roles,
    grain="one row per normalised role name of the organization",
    sources=(
        Source(legacy.roles, transform),
        Source(legacy.role_meta, transform_meta),
        Derived(transform_made, name=USERS_ROLE),
    ),
    decide=Decide(
        reads={
            "roles": select(legacy.roles.c.id, legacy.roles.c.name, legacy.roles.c.created_at),
            "role_meta": select(
                legacy.role_meta.c.role_name,
                legacy.role_meta.c.description,
                legacy.role_meta.c.updated_at,
            ),
            "users": select(legacy.users.c.role, func.count().label("users")).group_by(legacy.users.c.role),
        },
        function=decide,
        redecided=("roles.name",),
    ),
    lookups=(("organizations", "derived"), ("roles", "roles"), ("roles", USERS_ROLE)),
    legacy_reads=(legacy.users,),
    adopt=Adoption(columns=("organization_id", "name"), among={"scope": SCOPE}),
    lineage={
        "name": ("roles.name", "users.role"),
        "description": ("role_meta.description", "roles.description"),
        "updated_at": ("role_meta.updated_at", "roles.created_at"),
    },
    rules={
        "scope": "always organization",
        "name": "the oldest of equal names after normalisation; a word of users.role that names no role makes one",
        "description": "role_meta's, else the role's own",
        "updated_at": "role_meta's, else the time that the role was created",
    },
    dispositions={
        "role_meta.role_name": merged("names the role that the row is part of", "role_meta"),
    },
)
