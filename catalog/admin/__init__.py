"""The admin for platform engineers: every kind searchable and filterable, with its conditions, history and manifests.

`object_admin` is what all kinds share; `registration` registers one for each kind. Editing is YAML, and every change
goes through `catalog.store` as the signed-in user on the surface "admin".
"""

from catalog.admin import registration as registration
