"""What a change would do before it is made: the blast radius of an edit.

    rehearsing   apply the documents, look at what they become, undo everything
    world        the platform as it would be: what is stored, with the changed objects in their places
    impact       whom the changed objects concern
    rendering    what the controllers would render, by the functions that they use themselves
    comparing    against what is rendered now
    grouping     equal changes of many components become one line
    report       as JSON, text and Markdown

Nothing is stored, nothing is delivered, and no lock is held while rendering.
"""
