"""The tables of django-oauth-toolkit in one step.

Its own twenty-two migrations tell the history of installations that we never had, and take seconds of each first start.
`manage.py makemigrations --check`, which the tests run, fails when a new release of the toolkit changes a table; then
`manage.py makemigrations oauth2_provider` adds the step here, after a look at what the toolkit's own does besides.
"""
