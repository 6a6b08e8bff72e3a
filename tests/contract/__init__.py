"""OpenChoreo's API document, held against what is served: requests made from it, answers judged by it.

`document` reads it, `values` makes requests of it, `plan` puts them in an order in which all can succeed, `deviations`
are the answers that are meant to be others than it says, and `evidence` is what the table of operations is made from.
"""
