"""The whole pipeline on embedded defaults: library, mint, train, generate, report.

It runs the other parts as commands, the very ones a user would type, and imports none of them.
"""
