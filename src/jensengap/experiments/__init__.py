"""Experiments too long for a chapter: how they run, resume, are recorded and read."""
