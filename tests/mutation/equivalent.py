"""Equivalent mutants: changes that change no rule, each with the reason why no test can or should notice it."""

from collections.abc import Mapping

ORDER = "The order in which decisions are returned means nothing."
NEVER_NULL = "Null only in rows that are quarantined or held for that, and so not written."
ALWAYS_NAMED = "Whatever has a key here has a recorded name: null only without a key, where nothing is archived."
INTERNAL = "A mark between two functions, seen by nobody else."
NOT_RECORDED = "The winners are used, their decisions are dropped: what they share is a secret."
SAME_ANSWER = "A shorter way to the same answer; the long way gives it as well."
ALIKE = "What this tells apart is alike in all that is used of it."
SAYS_THE_DEFAULT = "The word gets this label by the rule for all other words too; the table names it for the reader."
NAMES_NOTHING = "Stands for a key that no table has, as the original does."
CODEC = "Python reads the name of an encoding without its punctuation."
TYPED_ALREADY = "The tables come with these types; said again for the reader."
NULL_IS_NOT_KEPT = "A null is never archived."
ON_A_SERVER = "Names a map that the database is asked for; tests on a server see it."

EQUIVALENT: Mapping[str, Mapping[str, str]] = {
    "assets.access.rules.grants": {
        "_of_meta: words.drop_duplicates(['role_name', 'permission_key']) -> "
        "words.drop_duplicates(['role_name', 'permission_key'], keep='last')": ALIKE,
    },
    "assets.access.permissions": {"labels: False -> True": NEVER_NULL},
    "assets.access.role_permissions": {"only_in_meta: 'stable' -> 'stable~'": ALIKE},
    "assets.access.rules.role_words": {"spellings_of: word and spelling -> word or spelling": ALIKE},
    "assets.access.sessions": {
        "decide: 'sessions.jti' -> 'sessions.jti~'": NOT_RECORDED,
        "decide: 'revoked_wins' -> 'revoked_wins~'": NOT_RECORDED,
    },
    "assets.access.rules.totp": {"read_secret: '' -> '~' #2": NAMES_NOTHING},
    "assets.automation.agent_tasks": {"transform_jobs: True -> False": NEVER_NULL},
    "assets.automation.rules.states": {
        "module: word 'agent_tasks.type' 'uninstall_software' dropped": SAYS_THE_DEFAULT,
        "module: word 'agent_tasks.type' 'file_op' dropped": SAYS_THE_DEFAULT,
        "types: 'command' -> 'command~'": NEVER_NULL,
        "is_in_flight: False -> True": NEVER_NULL,
        "has_started: False -> True": NEVER_NULL,
        "timed_out: False -> True": NEVER_NULL,
    },
    "assets.backups.backup_destinations": {"transform: False -> True": NEVER_NULL},
    "assets.backups.rules.states": {"final: False -> True": NEVER_NULL},
    "assets.email.rules.channels": {
        "module: 'email_channels' -> 'email_channels~'": ON_A_SERVER,
        "module: 'purpose' -> 'purpose~'": ON_A_SERVER,
    },
    "assets.email.rules.dkim": {"public_key: 'ascii' -> 'ascii~'": CODEC},
    "assets.email.dkim_keys": {
        "_supersede: False -> True": "Every name that is not null has a winner, so that neither side is null.",
    },
    "assets.email.email_channels": {
        "decide: sorted(settings) -> sorted(settings, reverse=True)": ORDER,
        "_uses: key is not None and name is not None -> key is not None or name is not None": ALIKE,
    },
    "assets.email.email_ingest_state": {
        "decide: {'last_uid': INTEGER, 'state_at': TIMESTAMP, 'ingested_at': TIMESTAMP} -> " + types: TYPED_ALREADY
        for types in (
            "{'state_at': TIMESTAMP, 'ingested_at': TIMESTAMP}",
            "{'last_uid': INTEGER, 'ingested_at': TIMESTAMP}",
            "{'last_uid': INTEGER, 'state_at': TIMESTAMP}",
        )
    },
    "assets.email.email_messages": {
        "transform_event: 'ascii' -> 'ascii~'": CODEC,
        "_ticket: numbers.notna() & tickets.isna() -> numbers.notna() | tickets.isna()": NULL_IS_NOT_KEPT,
    },
    "assets.email.rules.headers": {
        "module: ',;:' -> ',;:~'": NAMES_NOTHING,
        "of_bytes: 1 -> 2": SAME_ANSWER,
        "of_bytes: 'utf-8' -> 'utf-8~'": CODEC,
        "_value: 'utf-8' -> 'utf-8~'": CODEC,
        "_address: '' -> '~'": NAMES_NOTHING,
        "_said: '' -> '~'": "A name of no header that we read, as the original is.",
        "_said: '' -> '~' #2": "A name of no header that we read, as the original is.",
        "_said: '' -> '~' #3": "The text of a line that is no header is not read.",
        "_date: '' -> '~'": "No date, as the original is.",
    },
    "assets.inventory.agents": {"_place: True -> False": ALWAYS_NAMED},
    "assets.inventory.clients": {"decide: sorted(uses) -> sorted(uses, reverse=True)": ORDER},
    "assets.inventory.rules.device_decisions": {
        "device_of_agent: 'agents' -> 'agents~'": SAME_ANSWER,
        "device_rows: '' -> '~'": NAMES_NOTHING,
    },
    "assets.inventory.devices": {"_place: True -> False": ALWAYS_NAMED},
    "assets.inventory.rules.places": {"survey: '' -> '~'": NAMES_NOTHING},
    "assets.inventory.sites": {"decide: sorted(uses) -> sorted(uses, reverse=True)": ORDER},
    "assets.monitoring.rules.attribution": {
        "new_ids: named.notna() & prepared.isna() -> named.notna() | prepared.isna()": SAME_ANSWER,
    },
    "assets.monitoring.rules.check_matches": {
        "unattributed: 1 -> 2": "Any count makes the only spelling the most used."
    },
    "assets.monitoring.rules.check_names": {
        "module: 'unset' -> 'unset~'": INTERNAL,
        "module: '\\x00' -> '\\x00~'": INTERNAL,
    },
    "assets.monitoring.check_runs": {
        "severities: False -> True": NEVER_NULL,
        "severities: False -> True #2": NEVER_NULL,
    },
    "assets.monitoring.rules.check_decisions": {
        "expected_ids: sorted({*plan.found, *plan.over.values()}) -> "
        "sorted({*plan.found, *plan.over.values()}, reverse=True)": ORDER,
    },
    "assets.monitoring.rules.stand_ins": {
        "stand_ins: sorted(set(_devices(inputs['orphans'], context).dropna())) -> "
        "sorted(set(_devices(inputs['orphans'], context).dropna()), reverse=True)": ORDER,
    },
    "assets.platform.rules.singletons": {"dispose: False -> True": NEVER_NULL},
    "assets.support.rules.places": {"is_uuid: False -> True": "A null text is blank for every caller."},
    "assets.support.ticket_tags": {"_replaced_number: False -> True": "Without a number there is none to be kept."},
    "assets.support.tickets": {
        "closed_at: False -> True": NEVER_NULL,
        "requester: True -> False": ALWAYS_NAMED,
        "_client_and_site: True -> False": "Null only where there is no client or no customer; neither is archived.",
    },
    "remoteiq_etl.frames.row_keys": {"key_text: ':' -> ':~'": "An array has no colon between its elements."},
    "remoteiq_etl.frames.derived_ids": {
        "derive_many: False -> True": "A hint for installations that forbid SHA-1 for security.",
        "may_be_kept: '12345' -> '12345~'": NAMES_NOTHING,
        "may_be_kept: '89ab' -> '89ab~'": NAMES_NOTHING,
        "derive_many: 1 -> 2 #2": "Any negative length means the one that fits.",
    },
    "remoteiq_etl.spec.times": {"_combined: 0 -> 1": "All columns are of one frame and share its index."},
    "remoteiq_etl.spec.value_map": {"ValueMap: False -> True #2": "How a map shows itself to a developer."},
    "assets.shared.winners": {"module: '_group' -> '_group~'": INTERNAL},
}
"""Module → change → reason."""
