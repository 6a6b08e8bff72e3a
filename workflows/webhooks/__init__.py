"""Pushes to Git repositories, as their hosts report them, and the builds that they start.

`providers` verifies and reads a delivery, `sources` knows which component is built from which repository, `builds`
starts the runs, `views` is the one endpoint.
"""
