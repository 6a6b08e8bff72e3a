"""Files of manifests: read them, apply them, compare them, show objects again. Shared by the command line and the API.

`reading` turns files and bodies into documents that know their lines; `applying` applies, deletes and compares many of
them, one outcome for each; `kind_names` finds kinds as people type them; `table` shows objects in columns.
Nothing here prints or exits; `catalog.management.commands` and `catalog.api.stagecraft` do.
"""
