# Sourced by the set-up tools: say and as_root.
# shellcheck shell=bash

say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }

can_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }

# Runs "$@" as root: as it is when we are, else through sudo.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; return; fi
  can_be_root || { say "needs root or sudo to run: $*" >&2; return 2; }
  sudo "$@"
}
