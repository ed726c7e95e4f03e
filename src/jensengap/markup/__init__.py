"""What the book shows in a page: drawings, figures that scripts move, widgets, data."""
