"""Sentences of the press, judged: claims read by a table of patterns, measured, and set against chance."""
