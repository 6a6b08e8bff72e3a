"""The admin's frame: its title, and its front page by sections instead of one long list."""
