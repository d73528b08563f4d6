"""Error bars, and closed forms to test them on."""
