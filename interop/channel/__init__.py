"""Opens posts of channels and checks offers, from protocol/channels.md alone."""
