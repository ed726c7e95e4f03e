"""Models that run in the page, without a kernel; in a live kernel torch computes."""
