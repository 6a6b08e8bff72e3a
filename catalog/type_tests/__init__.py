"""Tests that platform engineers keep beside their types: given these inputs, expect these objects.

A TypeTest is a YAML document of Stagecraft's own. It names a type and has cases; each case is rendered by the pipelines
that render releases, and its objects, outputs or error are compared with what is expected. While they run, it is
recorded which parts of the type they reach. No database and no cluster is needed: everything is read from files.

    form          what a test document may say
    definitions   the types, traits and workflows that files define, completed and admitted as by the store
    cases         the tests that files hold
    given         a case's inputs, completed with defaults, as the pipelines take them
    rendering     one case rendered
    expecting     what was expected and did not come
    snapshots     files with all objects of a case
    running       all tests: admission, cases, coverage
    report, junit what a person, and a build server, read of it
"""
