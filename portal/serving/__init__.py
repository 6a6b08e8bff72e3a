"""What a server process shares among its threads: database connections, and room for streams."""
