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
  local work
  mkdir -p "${kit%/*}"
  work=$(mktemp -d "$kit.XXXXXX")
  if (cd "$work" && unpack_guest_kit); then
    mv -T "$work/kit" "$kit" 2>/dev/null || [[ -d $kit ]]
    rm -rf "$work"
    return 0
  fi
  rm -rf "$work"
  cat >&2 <<'HELP'
What GuestIT boots could not be fetched: Debian's packages linux-image-*-cloud-amd64, busybox-static
and libvirt0 (or libvirt-common). They are only unpacked; what it takes is a package list:
    sudo apt-get update
HELP
  # On a system that does not have them, the rest is worth running all the same.
  [[ -z ${CI:-} ]]
}

# Into ./kit: the kernel, its virtio modules, a shell with tools, libvirt's schemas.
unpack_guest_kit() {
  local kernel
  kernel=$(newest_kernel)
  if [[ -z $kernel ]] && ((EUID == 0)); then
    apt-get update -qq >&2
    kernel=$(newest_kernel)
  fi
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
