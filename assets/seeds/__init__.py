"""What the new application needs or offers from the start: rows that come from no legacy row."""
