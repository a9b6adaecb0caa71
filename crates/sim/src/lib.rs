//! The world in a box: virtual clock, bad network, alice and bob. Tests only.
