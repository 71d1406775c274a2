"""The gateway's description of itself: `/openapi.json`, and `/docs` for people, both from one list of operations.

Each dialect describes its routes in a module of its own. A test walks all routes and finds one that is not described.
"""
