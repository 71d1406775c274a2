#!/bin/sh
# Takes away what install.sh installed, and nothing else.
set -eu

place=$(cd "$(dirname "$0")" && pwd)
[ -f "$place/installed-files" ] || { echo "Nothing is installed here: use this script in lib/llamero of an installed Llamero." >&2; exit 1; }
prefix=$(cd "$place/../.." && pwd)

while read -r file; do
    rm -f "$prefix/$file"
done <"$place/installed-files"
rm -f "$prefix/bin/llamero"
# Made from what lies beside them, for others, too; where nothing is left they are not needed.
update-desktop-database "$prefix/share/applications" 2>/dev/null || :
update-mime-database "$prefix/share/mime" 2>/dev/null || :
find "$prefix/share/mime/packages" -type f 2>/dev/null | grep -q . || rm -rf "$prefix/share/mime"
find "$prefix/share/applications" -type f ! -name mimeinfo.cache 2>/dev/null | grep -q . || rm -f "$prefix/share/applications/mimeinfo.cache"
# Directories that were made for it, from the innermost; those with something in them stay.
sed 's|/[^/]*$||' "$place/installed-files" | sort -ru | while read -r folder; do
    while [ "$folder" != . ] && rmdir "$prefix/$folder" 2>/dev/null; do folder=$(dirname "$folder"); done
done
rm -rf "$place"
rmdir "$prefix/lib" "$prefix/bin" 2>/dev/null || :
[ "${1-}" = --quiet ] || echo "Llamero is gone from $prefix. Your conversations, models and settings are where they were."
