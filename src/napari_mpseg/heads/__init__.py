"""What a network answers beside "particle or not", so that touching particles can be told apart.

A head says what a network is to be taught for each pixel (from painted instances), and how instances are found in its
answer. Heads know no torch, no files and no tiles.
"""
