"""Interactive models in a page: scripts compute them, or torch in a live kernel."""
