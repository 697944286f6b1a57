"""Statistics on arrays: scales, placebo ranks, power. Nothing here knows dates, markets or sources."""
