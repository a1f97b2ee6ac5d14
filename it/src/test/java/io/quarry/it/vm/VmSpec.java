package io.quarry.it.vm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The hardware of a VM. Besides the given cables, each VM has one to this host: its loopback
 * interface is {@link #HOST_ADDRESS} there.
 *
 * @param name also the guest's host name
 */
record VmSpec(String name, int memoryMib, List<Disk> disks, List<Nic> nics) {
  /** This host, as all guests see it. */
  static final String HOST_ADDRESS = "10.0.2.2";

  private static final String GUEST_ADDRESS = "10.0.2.15";

  private static final int REPORT_PORT = 2;

  /** What the guest writes here is in a file of this host when the write returns. */
  static final String REPORT = "/dev/vport0p" + REPORT_PORT;

  /** QEMU's name for the cable to this host. */
  static final String HOST_CABLE = "host";

  VmSpec {
    disks = List.copyOf(disks);
    nics = List.copyOf(nics);
  }

  /**
   * A disk that the guest finds as {@code /dev/disk/by-id/virtio-<serial>}.
   *
   * @param source where QEMU finds the bytes, in the words of its option {@code -blockdev}
   * @param shared whether other VMs write to the disk
   */
  record Disk(String serial, String source, boolean shared) {
    static Disk readOnly(String serial, Path file) {
      return new Disk(serial, "driver=file,filename=" + file + ",read-only=on", false);
    }

    /**
     * QEMU writes through the page cache of this host: what the guest has written to the disk
     * outlives the guest, and what the guest has in its own memory does not.
     */
    static Disk own(String serial, Path file) {
      return new Disk(serial, "driver=file,filename=" + file + ",discard=unmap", false);
    }

    /** QEMU writes around the page cache of this host. */
    static Disk shared(String serial, Path file) {
      return new Disk(serial, "driver=file,filename=" + file + ",cache.direct=on", true);
    }

    /** The disk of an NBD server. */
    static Disk served(String serial, Path socket) {
      return new Disk(serial, "driver=nbd,server.type=unix,server.path=" + socket, true);
    }
  }

  /**
   * One end of a cable between two VMs. The ends are datagram sockets, so either VM may die and
   * come back.
   *
   * @param address of the guest
   * @param peer the address of the guest at the other end
   */
  record Nic(Path local, Path remote, String address, String peer) {}

  private List<Disk> allDisks(LabKit kit) {
    List<Disk> all = new ArrayList<>();
    // The kernel looks for its root on the first one.
    all.add(Disk.readOnly("root", kit.root()));
    all.addAll(disks);
    return all;
  }

  List<String> command(LabKit kit, Path console, Path report, Path qmp, Path agent) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "qemu-system-x86_64",
                "-name",
                name,
                "-machine",
                "q35",
                "-accel",
                "tcg,thread=multi",
                "-cpu",
                "max",
                "-m",
                Integer.toString(memoryMib),
                "-nodefaults",
                "-no-reboot",
                "-display",
                "none",
                "-serial",
                "file:" + console,
                "-qmp",
                "unix:" + qmp + ",server=on,wait=off",
                "-kernel",
                kit.kernel().toString(),
                "-initrd",
                kit.initramfs().toString(),
                "-append",
                "console=ttyS0 quiet panic=-1 lab.host=" + name,
                "-device",
                "virtio-serial-pci",
                "-chardev",
                "socket,id=agent,path=" + agent + ",server=on,wait=off",
                "-device",
                "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
                "-chardev",
                "file,id=report,path=" + report,
                "-device",
                "virtserialport,chardev=report,nr=" + REPORT_PORT));
    for (Disk disk : allDisks(kit)) {
      words.addAll(
          List.of(
              "-blockdev",
              disk.source() + ",node-name=" + disk.serial(),
              "-device",
              "virtio-blk-pci,drive=%1$s,serial=%1$s%2$s"
                  .formatted(disk.serial(), disk.shared() ? ",share-rw=on" : "")));
    }
    for (int i = 0; i < nics.size(); i++) {
      Nic nic = nics.get(i);
      String mac = "52:54:00:00:%02x:%02x".formatted(i, name.hashCode() & 0xff);
      words.addAll(
          List.of(
              "-netdev",
              "dgram,id=%s,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s"
                  .formatted(netdev(i), nic.local(), nic.remote()),
              "-device",
              "virtio-net-pci,netdev=%s,mac=%s".formatted(netdev(i), mac)));
    }
    // IPv4 alone, and the guest gets no default route.
    words.addAll(
        List.of(
            "-netdev",
            "user,id=" + HOST_CABLE + ",ipv6=off",
            "-device",
            "virtio-net-pci,netdev=" + HOST_CABLE));
    return words;
  }

  static String netdev(int nic) {
    return "net" + nic;
  }

  /** A shell script that gives the guest its addresses. */
  String networkScript() {
    List<String> addresses = new ArrayList<>(nics.stream().map(Nic::address).toList());
    addresses.add(GUEST_ADDRESS);
    StringBuilder script = new StringBuilder();
    for (int i = 0; i < addresses.size(); i++) {
      script.append(
          "ip address add %2$s/24 dev eth%1$d%nip link set eth%1$d up%n"
              .formatted(i, addresses.get(i)));
    }
    return script.toString();
  }
}
