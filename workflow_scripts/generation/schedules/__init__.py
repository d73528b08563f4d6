"""Commands that find a schedule of sampling temperatures, a file each."""
