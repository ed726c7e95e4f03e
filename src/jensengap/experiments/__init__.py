"""Runs that are too long for a chapter: what they are, how they resume, what came."""
