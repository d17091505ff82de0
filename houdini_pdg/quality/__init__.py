"""Quality checks at pack: do depth, pose and RGB of different views agree?"""
