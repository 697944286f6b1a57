"""Size, power and coverage by simulation, and rejection rates on real returns."""
