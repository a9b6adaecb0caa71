"""A second verifier of proof files, written from protocol/proof.md."""
