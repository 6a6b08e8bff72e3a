"""Secrets that users hand over by the API: checked, put where they belong, referred to by a SecretReference.

    wanted    what a request asks for, checked by the contract's rules
    sinks     where values go: to a plane that can hold secrets, else sealed into our own table
    manifests what a plane gets: a Secret, and a PushSecret that carries it to the plane's secret store
    keeping   create, replace, read and delete, each in one transaction
    remote_keys  which keys of a store a namespace may refer to

Values travel as `portal.secrets.SecretText` and are read in two places only: where they are sealed, and where the
manifests for a plane or the reply to a permitted reader are made.
"""
