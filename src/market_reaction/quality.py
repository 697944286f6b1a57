"""Quality rules for price series (written next)."""
