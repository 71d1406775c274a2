#!/bin/sh
# Installs Llamero for you alone, below ~/.local, or with --prefix DIR below another directory.
# Replaces a version that is there. `DIR/lib/llamero/uninstall.sh` takes everything away again; conversations, models and
# settings are not touched by either.
set -eu

prefix=${HOME:+$HOME/.local}
case "${1-}" in
    "") ;;
    --prefix) prefix=${2:?"--prefix needs a directory"} ;;
    *) echo "usage: $0 [--prefix DIR]" >&2; exit 2 ;;
esac
[ -n "$prefix" ] || { echo "There is no home directory; use --prefix DIR." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$prefix/lib"
prefix=$(cd "$prefix" && pwd)
place=$prefix/lib/llamero
[ -x "$here/lib/llamero/llamero" ] || { echo "$here is not an unpacked Llamero." >&2; exit 1; }

# The new program lies beside the old one before that goes, so that what fails half-way leaves the old one.
rm -rf "$place.new"
cp -R "$here/lib/llamero" "$place.new"
cp "$here/uninstall.sh" "$place.new/uninstall.sh"
(cd "$here" && find share -type f) >"$place.new/installed-files"
[ ! -x "$place/uninstall.sh" ] || "$place/uninstall.sh" --quiet
mv "$place.new" "$place"

mkdir -p "$prefix/bin"
ln -sf ../lib/llamero/llamero "$prefix/bin/llamero"
while read -r file; do
    mkdir -p "$prefix/$(dirname "$file")"
    cp "$here/$file" "$prefix/$file"
done <"$place/installed-files"
# A menu does not look for programs in a user's own directories. Desktop entries quote what a shell would stumble over.
entry=$prefix/share/applications/llamero.desktop
program=$place/llamero awk '
    /^TryExec=/ { print "TryExec=" ENVIRON["program"]; next }
    /^Exec=llamero/ { print "Exec=\"" ENVIRON["program"] "\"" substr($0, length("Exec=llamero") + 1); next }
    { print }
' "$here/share/applications/llamero.desktop" >"$entry"
update-desktop-database "$prefix/share/applications" 2>/dev/null || :
update-mime-database "$prefix/share/mime" 2>/dev/null || :

echo "Llamero is installed: $prefix/bin/llamero. To take it away: $place/uninstall.sh"
case ":${PATH-}:" in *":$prefix/bin:"*) ;; *) echo "$prefix/bin is not on your PATH; the menu has Llamero all the same." ;; esac
