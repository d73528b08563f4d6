"""How jobs run: commands, their records, locks and requests; no physics."""
