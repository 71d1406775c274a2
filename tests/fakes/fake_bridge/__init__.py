"""A real program that serves the built page and speaks the bridge with scripted data.

The page is tested against it where the app itself would be too slow, too random or not breakable on demand: answers
of a given text at a given rate, servers in every state, connections that are cut, keys that no longer fit.

    python -m tests.fakes.fake_bridge [--scenario NAME] [--port N] [--document FILE] [--rate TOKENS_PER_S]
"""
