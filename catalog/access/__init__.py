"""The catalog's side of permissions: where grants are kept, and how roles and bindings become them.

    models        one row of `Cluster`, and guardian's direct tables on the five scopes
    hierarchy     how each kind lies in the hierarchy, in names and in SQL
    conditions    expressions of bindings as trees of `portal.access.condition`
    permissions   one permission for each level and action, and for each level and role
    compile       roles and bindings → grants, in the transaction of the change
    guard         what every surface asks before it shows or changes an object

`portal.access` decides; it knows no kind, and this package decides nothing. The condition language is read here and not
there because its parser belongs to the compiler; what is stored is a tree that needs none.
"""
