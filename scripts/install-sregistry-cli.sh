#!/usr/bin/env bash
# Installs the real `sregistry` client into a virtual environment of its own, and
# prints the path of the command to run. Running it again is a no-op.
#
#   install-sregistry-cli.sh [PREFIX]      default: $HOME/.cache/sregistry-cli
#
# Needs python3 with venv. Every package it takes is named with its version.
set -euo pipefail

die() { printf 'install-sregistry-cli: %s\n' "$*" >&2; exit 1; }

prefix=$(realpath -m -- "${1:-${HOME:?}/.cache/sregistry-cli}")
command=$prefix/bin/sregistry
packages=(
  sregistry==0.2.39 requests==2.34.2 requests-toolbelt==1.0.0 urllib3==2.8.0 certifi==2026.10.19.post1
  idna==3.20 charset-normalizer==3.5.2 Pygments==2.21.0 spython==0.3.14
)
# Which versions are there stands in it, so that other ones are installed anew.
mark=$prefix/.sregistry-cli

[ ! -e "$prefix" ] || [ -e "$mark" ] || rmdir "$prefix" 2>/dev/null ||
  die "$prefix exists and is not one of this script's installs"
works() { [ "$(cat "$mark" 2>/dev/null)" = "${packages[*]}" ] && "$prefix/bin/python" -c 'import sregistry.main.registry' >/dev/null 2>&1; }
if works; then printf '%s\n' "$command"; exit 0; fi

command -v python3 >/dev/null || die "needs python3"
mkdir -p "$(dirname "$prefix")"
exec 9>"$prefix.lock"
flock -w 600 9 || die "another install holds $prefix.lock"
if works; then printf '%s\n' "$command"; exit 0; fi   # another run did it

rm -rf "$prefix"
mkdir -p "$prefix"
touch "$mark"
python3 -m venv "$prefix" 2>/dev/null || die "python3 has no venv: install python3-venv"
"$prefix/bin/pip" --quiet --disable-pip-version-check install --no-deps "${packages[@]}" >&2 ||
  die "the packages could not be installed"
printf '%s' "${packages[*]}" >"$mark"
works || die "installed, but does not run: $("$prefix/bin/python" -c 'import sregistry.main.registry' 2>&1 | tail -n 1)"
printf '%s\n' "$command"
