"""Django's PostgreSQL backend, with a cheaper way to see whether a kept connection still is one."""
