#!/usr/bin/env bash
# Installs what Qt, OpenGL and a virtual screen need on Debian or Ubuntu: by itself as root or where sudo asks no
# password, otherwise it prints the line to run and goes on, since the command line tools work without.
# Usage: tools/system_packages.sh [PYTHON]
set -euo pipefail

python=${1:-python3}
packages=(
    xvfb xauth fonts-dejavu-core
    libegl1 libgl1 libgl1-mesa-dri
    libdbus-1-3 libfontconfig1 libglib2.0-0 libgssapi-krb5-2
    libx11-xcb1 libxkbcommon-x11-0 libxkbcommon0
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0
    libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1
)

if ! command -v apt-get >/dev/null; then
    [ "$(uname)" != Linux ] || command -v xvfb-run >/dev/null ||
        echo "Not Debian or Ubuntu: install the counterparts of: ${packages[*]}" >&2
    exit 0
fi

"$python" -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)

# A "t64" ending is how newer releases name the same library.
installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sed 's/t64$//')
missing=()
for package in "${packages[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=(env)
elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n env)
else
    echo "Qt needs system packages that are missing. Run this line once:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 0
fi
echo "Installing system packages: ${missing[*]}"
"${as_root[@]}" apt-get update -q
"${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null
