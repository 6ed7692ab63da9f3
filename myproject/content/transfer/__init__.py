"""Markdown trees in and out: a directory of files becomes a part of the tree, and back.

``frontmatter`` reads and writes the head of a file, ``document`` maps it to a node's fields,
``scan`` walks a directory, ``links`` turns links between files into references and back,
``lookup`` finds nodes by address, ``importer`` and ``exporter`` do the work.
"""
