"""Loops longer than a token: tokens of the recent history as rivals of the correct one."""
