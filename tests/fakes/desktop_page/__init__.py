"""A small app with a real server and page, for tests of the window: `python -m tests.fakes.desktop_page`."""
