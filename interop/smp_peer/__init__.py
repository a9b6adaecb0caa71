"""An SMP client written from protocol/smp.md alone, to try our server with a
second reading of the specification, other cryptography and another TLS."""
