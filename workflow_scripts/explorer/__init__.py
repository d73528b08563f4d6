"""Commands of the stage `explorer`: a page on which states are found again as text."""
