"""The built-in OpenID issuer: signs people and programs in where no other identity provider is set.

django-oauth-toolkit (on oauthlib) does the protocol; here is what is ours: keys, claims, pages, limits.

    models.py        clients; signing keys
    keys.py          makes, seals, rotates and publishes the keys
    claims.py        what an access token, an ID token and userinfo say
    tokens.py        access tokens are JWTs of ours, refresh tokens are opaque
    protocol.py      which grants there are, and who may use them
    device.py        the device grant (RFC 8628): its token half
    exchange.py      token exchange (RFC 8693): an agent acts for a person
    verification.py  our own tokens when they come back: whose they are, and whether they still count
    ending.py        what ends all tokens of a person
    endpoints.py     token, revocation, keys, userinfo
    pages.py         sign-in, consent, devices
    discovery.py     the documents under /.well-known
    limits.py        how often tokens may be asked for
    clients.py       makes clients of each sort

An access token is a row besides being signed: removing the row (sign-out, revocation, a refresh token used twice)
refuses it at once, and who it stands for is read from the row, so a name that changes hands takes nothing along.
"""
