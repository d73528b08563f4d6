"""Which states an explorer shows, and how they are put into a page."""
