"""Every column that holds a secret is flagged as one; the list is written out here a second time on purpose."""

from sqlalchemy import MetaData

from schemas import legacy, target
from schemas.target.optional import OPTIONAL_COLUMNS

LEGACY = """
agent_jobs.payload agent_jobs.result agents.token_hash backup_jobs.destination backups_config.destination
dkim_keys.private_key dkim_settings.private_key email_inbound_events.raw email_settings.imap_password
email_settings.pop_password email_settings.smtp_password imap_ingested.headers_snippet job_results.stderr
job_results.stdout jobs.payload personal_tokens.token_hash sessions.jti trusted_devices.device_fingerprint
users.password_hash users.totp_secret users.two_factor_recovery_codes users.two_factor_secret
"""

TARGET = """
agent_task_results.stderr agent_task_results.stdout agent_task_runs.output agent_tasks.payload
backup_destinations.configuration backups_config.destination dkim_keys.private_key email_channels.imap_settings
email_channels.smtp_settings email_messages.payload login_challenges.challenge personal_access_tokens.token_hash
sessions.refresh_token storage_connections.config storage_connections.secrets trusted_devices.device_fingerprint
user_security.recovery_codes user_security.totp_secret users.password_hash
"""


def flagged(metadata: MetaData) -> list[str]:
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    return sorted(f"{column.table.name}.{column.name}" for column in columns if column.info.get("secret"))


def test_legacy_secrets_are_flagged() -> None:
    assert flagged(legacy.metadata) == LEGACY.split()


def test_target_secrets_are_flagged() -> None:
    assert flagged(target.metadata) == TARGET.split()


def test_optional_columns_are_not_part_of_the_redesign() -> None:
    for table, columns in OPTIONAL_COLUMNS.items():
        assert not set(columns) & set(getattr(target, table).columns.keys())


def test_tables_without_a_legacy_source_are_not_written() -> None:
    unwritten = {table.name for table in target.metadata.sorted_tables if not table.info.get("written", True)}
    assert unwritten == {
        "automation_runs",
        "automations",
        "storage_connections",
        "ticket_attachments",
        "ticket_updates",
    }
