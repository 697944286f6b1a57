"""Bars shorter than a day: reading them with their true clock, and what moved in the minutes around an announcement."""
