"""Rebuilds a contact list from what a relay leaves on its disk."""
