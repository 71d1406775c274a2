#!/bin/sh
# Debian packages that the tests need beyond make, python3 and python3-venv:
#   gcc libc6-dev   compile the stand-in for NVIDIA's management library, which the real binding loads
# Installs what is missing where it may, says what, and is silent when nothing is. Elsewhere it says what to install
# and leaves it to the tests to fail.
set -u

missing=""
command -v gcc >/dev/null 2>&1 || missing="gcc"
printf '#include <stdio.h>\n' | gcc -E -x c - >/dev/null 2>&1 || missing="${missing:+$missing }libc6-dev"
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
    echo "Installing for the tests: $missing"
    export DEBIAN_FRONTEND=noninteractive
    install="apt-get install -y -qq --no-install-recommends $missing"
    # The lists of packages are usually there already, and fetching them is the slow part.
    $install >/dev/null 2>&1 && exit 0
    apt-get update -qq && $install >/dev/null && exit 0
fi
echo "Some tests need what is missing here; on Debian, as root: apt-get install $missing" >&2
