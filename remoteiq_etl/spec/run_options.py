"""Options of a run that a rule depends on, by name. Nothing else belongs here."""

#: The option of every run from the cut-over on: when legacy was fenced, as ISO text. The state remembers it.
CUT_OVER = "cut_over"

#: The option which of the two tables of grants count, and what it may be; the state remembers it, too.
ROLE_GRANTS = "role_grants"
UNION, ROLE_META_FIRST = "union", "role_meta_first"
