"""Who may do what, in the admin: the Access tab of every place, people, grants nobody uses, and what roles give.

    scope_page      who has what at a place and from above; giving and taking by hand
    people          one page for each person, service account and agent
    unused          grants nobody uses, and their end
    roles           roles by ticking their actions; which bindings use one
    previewing      what a change would do to people, before it is saved

Each page asks the engine itself; nothing here goes by Django's model permissions. Registered by `registration`.
"""
