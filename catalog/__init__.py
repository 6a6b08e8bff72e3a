"""What exists, and what it compiles to."""
