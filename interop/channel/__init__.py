"""Opens posts of channels, from protocol/channels.md alone."""
