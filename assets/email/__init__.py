"""Mail channels with the state of their mailbox readers, messages, and DKIM domains with their keys."""
