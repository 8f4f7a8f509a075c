"""The parts of a workspace's document (`onward.workspace.document`), a module a subject.

Each has the shapes, how they are read from the workspace (`…_part`), and how the workspace is made to be like
them (`converge_…`).
"""
