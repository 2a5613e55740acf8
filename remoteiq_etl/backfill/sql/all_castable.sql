-- Fails, or is false, where a staged text is no value of its column's type.
SELECT count({value}::{type}) = count({value}) AND NOT coalesce(bool_or({too_long}), false) FROM {stage} AS s
