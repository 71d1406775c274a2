#!/bin/sh
# Debian packages that the tests need beyond make, python3 and python3-venv:
#   gcc libc6-dev   compile the stand-in for NVIDIA's management library, which the real binding loads
#   xvfb xauth      a display without a screen, for the window
#   lib… fonts-…    what Qt's browser links against on a system that had no desktop
#   iproute2        two machines on one network, played by namespaces
#   dbus gnome-keyring   a keyring of the system's, for the keys of remote servers
#   trayer   a panel with a tray, for the icon there
#   minisign desktop-file-utils   what others check a release's signature and desktop entries with
#   python3-gi …    the system's own WebKitGTK, the window's other toolkit
#   nsis p7zip-full   compile the installer for Windows, and list what is in it
#   appstream shared-mime-info groff-base   judge what desktops and manuals are told
#   lintian debootstrap zsh fish   judge the .deb, make a system to install it in, read its completions
#   binutils patchelf   read what programs link to, and take out where they looked when they were built
#   prometheus   what reads /metrics, and its own check of it
#   chromium fonts-dejavu-core   the browser that the page is tested in, and letters for it
# Installs what is missing where it may, says what, and is silent when nothing is. Elsewhere it says what to install
# and leaves it to the tests to fail.
set -u

missing=""
command -v gcc >/dev/null 2>&1 || missing="gcc"
printf '#include <stdio.h>\n' | gcc -E -x c - >/dev/null 2>&1 || missing="${missing:+$missing }libc6-dev"
need() { missing="${missing:+$missing }$1"; }

command -v Xvfb >/dev/null 2>&1 || need xvfb
command -v xauth >/dev/null 2>&1 || need xauth
if [ "$(uname -s)" = Linux ]; then
    command -v ip >/dev/null 2>&1 || [ -x /sbin/ip ] || need iproute2
    command -v dbus-run-session >/dev/null 2>&1 || need dbus
    command -v gnome-keyring-daemon >/dev/null 2>&1 || need gnome-keyring
    command -v trayer >/dev/null 2>&1 || need trayer
    command -v minisign >/dev/null 2>&1 || need minisign
    command -v desktop-file-validate >/dev/null 2>&1 || need desktop-file-utils
    command -v appstreamcli >/dev/null 2>&1 || need appstream
    command -v update-mime-database >/dev/null 2>&1 || need shared-mime-info
    command -v groff >/dev/null 2>&1 || need groff-base
    command -v lintian >/dev/null 2>&1 || need lintian
    command -v debootstrap >/dev/null 2>&1 || [ -x /usr/sbin/debootstrap ] || need debootstrap
    for program in zsh fish patchelf; do command -v $program >/dev/null 2>&1 || need $program; done
    command -v objdump >/dev/null 2>&1 || need binutils
    libraries=$(/sbin/ldconfig -p 2>/dev/null)
    while read -r library package; do
        case "$libraries" in *"$library "*) ;; *) need "$package" ;; esac
    done <<END
libnss3.so libnss3
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-image.so.0 libxcb-image0
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-render-util.so.0 libxcb-render-util0
libxcb-shape.so.0 libxcb-shape0
libxcb-xkb.so.1 libxcb-xkb1
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libxkbfile.so.1 libxkbfile1
libEGL.so.1 libegl1
libGL.so.1 libgl1
libgbm.so.1 libgbm1
libasound.so.2 libasound2
libXcomposite.so.1 libxcomposite1
libXdamage.so.1 libxdamage1
libXrandr.so.2 libxrandr2
libXtst.so.6 libxtst6
libdbus-1.so.3 libdbus-1-3
libfontconfig.so.1 libfontconfig1
libglib-2.0.so.0 libglib2.0-0
libgssapi_krb5.so.2 libgssapi-krb5-2
END
    [ -d /usr/share/fonts/truetype ] || need fonts-dejavu-core
    [ -d /usr/lib/python3/dist-packages/gi ] || need python3-gi
    for description in Gtk-3.0 WebKit2-4.1; do
        found=$(ls /usr/lib/*/girepository-1.0/$description.typelib /usr/lib/girepository-1.0/$description.typelib 2>/dev/null)
        case "$description$found" in Gtk-3.0) need gir1.2-gtk-3.0 ;; WebKit2-4.1) need gir1.2-webkit2-4.1 ;; esac
    done
fi
command -v makensis >/dev/null 2>&1 || need nsis
command -v 7z >/dev/null 2>&1 || need p7zip-full
command -v prometheus >/dev/null 2>&1 || need prometheus
command -v chromium >/dev/null 2>&1 || need "chromium fonts-dejavu-core"
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
