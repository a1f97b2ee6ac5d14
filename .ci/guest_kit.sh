# shellcheck shell=bash
# Sourced by ./verify, after jdk25.sh. Fetches what GuestIT boots into a cache: Debian packages that
# are unpacked there, about 30 MB, and not installed. Sets QUARRY_GUEST_KIT to the directory.

guest_kit() {
  local kit=${XDG_CACHE_HOME:-$HOME/.cache}/quarry/guest
  export QUARRY_GUEST_KIT=$kit
  [[ ! -d $kit ]] || return 0
  if [[ $(uname -m) != x86_64 ]] || ! command -v apt-get >/dev/null; then
    echo "GuestIT is skipped: it boots a kernel from Debian's packages for amd64." >&2
    return 0
  fi
  if fetch_guest_kit "$kit" || { ((EUID == 0)) && apt-get update -qq >&2 && fetch_guest_kit "$kit"; }; then
    return 0
  fi
  cat >&2 <<'HELP'
What GuestIT boots could not be fetched: Debian's packages linux-image-*-cloud-amd64, busybox-static
and libvirt0 (or libvirt-common). They are only unpacked; what it takes is a package list:
    sudo apt-get update
HELP
  # On a system that does not have them, the rest is worth running all the same.
  [[ -z ${CI:-} ]]
}

# Whole or not at all.
fetch_guest_kit() { # directory
  local work status=0
  mkdir -p "${1%/*}"
  work=$(mktemp -d "$1.XXXXXX")
  (cd "$work" && unpack_guest_kit) && { mv -T "$work/kit" "$1" 2>/dev/null || [[ -d $1 ]]; } || status=$?
  rm -rf "$work"
  return "$status"
}

# Into ./kit: the kernel, its virtio modules, a shell with tools, libvirt's schemas.
unpack_guest_kit() {
  local kernel
  kernel=$(newest_kernel)
  [[ -n $kernel ]] || return 1
  echo "Fetching what GuestIT boots ($kernel) ..." >&2
  fetch "$kernel" && fetch busybox-static && fetch libvirt0 || return 1
  fetch libvirt-common 2>/dev/null || true
  mkdir -p unpacked kit/modules kit/schemas
  local package
  for package in *.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C unpacked
  done
  find unpacked/boot -name 'vmlinuz-*' -exec mv {} kit/vmlinuz \;
  find unpacked -path '*/bin/busybox' -exec mv {} kit/busybox \;
  find unpacked -path '*/libvirt/schemas/*.rng' -exec mv {} kit/schemas \;
  find unpacked \( -path '*/drivers/virtio/virtio*' -o -name 'virtio_blk.ko*' \) -exec mv {} kit/modules \;
  find kit/modules -name '*.xz' -exec xz -d {} +
  [[ -f kit/vmlinuz && -x kit/busybox && -f kit/modules/virtio_blk.ko && -f kit/schemas/domain.rng ]]
}

newest_kernel() {
  apt-cache depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/.*Depends: \(linux-image-[^ ]*-cloud-amd64\)$/\1/p' | head -n 1
}

fetch() { # package
  apt-get download -qq -o APT::Sandbox::User=root "$1" >/dev/null
}
