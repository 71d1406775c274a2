#!/bin/sh
# Debian packages that the tests need. Nothing yet beyond make, python3 and python3-venv.
exit 0
