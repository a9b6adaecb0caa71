"""Opens side letters of rooms, from protocol/rooms.md section 6 alone."""
