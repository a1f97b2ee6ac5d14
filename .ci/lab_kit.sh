# shellcheck shell=bash
# Sourced by ./verify, after jdk25.sh. Makes what the lab's VMs boot, about 500 MB in the cache, from
# Debian's packages and the JDK. The kit has none of the project's own files. Sets QUARRY_LAB_KIT to
# the directory.

# What the lab needs on this machine.
lab_tools() {
  install_packages qemu-system-x86_64:qemu-system-x86 setpriv:util-linux mke2fs:e2fsprogs \
    mmdebstrap:mmdebstrap cpio:cpio
}

lab_kit() {
  local kernel suite made
  if [[ $(uname -m) != x86_64 ]] || ! command -v apt-get >/dev/null; then
    echo "The lab is skipped: its VMs boot Debian's packages for amd64." >&2
    return 2
  fi
  if ((EUID != 0)); then
    echo "The lab is skipped: only root can make its root disk. Run: sudo ./verify lab" >&2
    return 2
  fi
  [[ -n $(lab_kernel) ]] || apt-get update -qq >&2
  kernel=$(lab_kernel)
  suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  if [[ -z $kernel || -z $(debian_sources) ]]; then
    echo "The lab is skipped: apt knows no Debian mirror with a cloud kernel. Run on Debian: apt-get update" >&2
    return 2
  fi
  # Packages get their updates with the next kernel.
  made=$({ echo "$kernel $suite" && cat .ci/lab_kit.sh .ci/lab/* "$JDK/release"; } | sha256sum | cut -c1-16)
  QUARRY_LAB_KIT=${XDG_CACHE_HOME:-$HOME/.cache}/quarry/lab/$made
  export QUARRY_LAB_KIT
  [[ -d $QUARRY_LAB_KIT ]] || make_lab_kit "$QUARRY_LAB_KIT" || return 1
  # Kits of older commits go once no run has used them for two weeks.
  touch "$QUARRY_LAB_KIT"
  find "${QUARRY_LAB_KIT%/*}" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} +
}

# Whole or not at all.
make_lab_kit() { # directory
  local work status=0
  mkdir -p "${1%/*}"
  work=$(mktemp -d "$1.XXXXXX")
  echo "Making what the lab's VMs boot ($kernel), which takes about two minutes ..." >&2
  debian_sources >"$work/sources.list"
  .ci/lab/make-kit "$work" "$kernel" "$suite" "$JDK" >"$1.log" 2>&1 || status=$?
  if ((status == 0)); then
    mv -T "$work/kit" "$1" 2>/dev/null || [[ -d $1 ]]
  else
    echo "The lab's kit could not be made. The last lines of $1.log:" >&2
    tail -n 20 "$1.log" >&2
  fi
  rm -rf "$work"
  return "$status"
}

lab_kernel() {
  apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/.*Depends: \(linux-image-[^ ]*-cloud-amd64\)$/\1/p' | head -n 1
}

# The lines of apt's own configuration that lead to Debian's archive.
debian_sources() {
  # shellcheck disable=SC2016 # apt replaces the names
  apt-get indextargets 'Created-By: Packages' 'Origin: Debian' \
    --format 'deb $(SITE) $(RELEASE) $(COMPONENT)'
}
