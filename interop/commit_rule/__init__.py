"""A second model of protocol/commits.md, written from that text."""
