# shellcheck shell=bash
# Sourced by ./quarry and ./verify. Sets JDK to the home of a JDK 25, or explains what to install.

java_major() { # home
  [[ -x $1/bin/java && -f $1/release ]] || return 1
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

find_jdk25() {
  local candidate on_path
  on_path=$(command -v java || true)
  [[ -z $on_path ]] || on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
  for candidate in "${JAVA_HOME:-}" "$on_path" /usr/lib/jvm/*25* "$HOME"/.sdkman/candidates/java/25*; do
    if [[ -n $candidate && -x $candidate/bin/javac && $(java_major "$candidate") == 25 ]]; then
      # shellcheck disable=SC2034 # read by the scripts that source this one
      JDK=$candidate
      return 0
    fi
  done
  cat >&2 <<'HELP'
Quarry needs a JDK 25, and none was found in JAVA_HOME, on the PATH or under /usr/lib/jvm.
Install Eclipse Temurin 25 (https://adoptium.net/installation/linux), for example on Debian with
Adoptium's repository set up:
    apt-get install temurin-25-jdk
HELP
  return 1
}

need_maven() {
  command -v mvn >/dev/null && return 0
  install_packages mvn:maven
}

# Installs Debian packages for missing commands: as root, or with a sudo that asks no password.
install_packages() { # command:package...
  local pair missing=() as_root=()
  for pair in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    as_root=(sudo -n)
    if ! sudo -n true 2>/dev/null; then
      echo "Missing: ${missing[*]}. Install with: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
      return 1
    fi
  fi
  if ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. Install them with this system's package manager." >&2
    return 1
  fi
  echo "Installing ${missing[*]} ..." >&2
  { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >&2
}
