package io.quarry.it.frozen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.it.box.Box;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A libvirt for this test alone, whose QEMUs run as {@link Qemu#USER}. Libvirt's files in the
 * system's directories go to memory that only its daemon sees. The daemon and its QEMUs have a
 * process namespace, whose first process reaps each QEMU at once: libvirt waits for that.
 */
final class Libvirt implements AutoCloseable {
  private final Path directory;
  private final Process daemon;

  private Libvirt(Path directory, Process daemon) {
    this.directory = directory;
    this.daemon = daemon;
  }

  /**
   * @param directory short, since a socket is in it
   */
  static Libvirt start(Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("libvirtd.conf"), daemon(directory));
    Files.writeString(directory.resolve("qemu.conf"), machines());
    Process daemon =
        new ProcessBuilder("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", commands())
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("said").toFile())
            .start();
    Libvirt libvirt = new Libvirt(directory, daemon);
    try {
      await().atMost(Box.PATIENCE).until(() -> !daemon.isAlive() || Files.exists(libvirt.socket()));
      assertThat(libvirt.socket()).as(Files.readString(directory.resolve("said"))).exists();
    } catch (RuntimeException | AssertionError failure) {
      libvirt.close();
      throw failure;
    }
    return libvirt;
  }

  private static String commands() {
    return """
    set -e
    for place in /run/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do
      mkdir -p $place
      mount -t tmpfs none $place
    done
    mkdir /run/libvirt/upper /run/libvirt/work
    mount -t overlay -o lowerdir=/etc,upperdir=/run/libvirt/upper,workdir=/run/libvirt/work \
      none /etc
    mkdir -p /etc/libvirt
    cp qemu.conf /etc/libvirt/
    touch /etc/passwd /etc/group
    sed -i /^libvirt-qemu:/d /etc/passwd /etc/group
    echo libvirt-qemu:x:%1$d:%2$d::/:/bin/false >> /etc/passwd
    echo libvirt-qemu:x:%2$d: >> /etc/group
    # A /dev/kvm that QEMU can open and the machines' user cannot has libvirt probe QEMU each time.
    if [ -e /dev/kvm ]; then
      install -m 0 /dev/null /run/libvirt/kvm
      mount --bind /run/libvirt/kvm /dev/kvm
    fi
    libvirtd -f "$PWD/libvirtd.conf" -p "$PWD/libvirtd.pid" &
    wait
    """
        .formatted(Qemu.USER, Qemu.GROUP);
  }

  private static String daemon(Path directory) {
    return """
    unix_sock_dir = "%1$s"
    auth_unix_rw = "none"
    log_outputs = "3:file:%1$s/libvirtd.log"
    """
        .formatted(directory);
  }

  /** The configuration for a host without a service manager and control groups. */
  private static String machines() {
    return """
    user = "+%d"
    group = "+%d"
    stdio_handler = "file"
    cgroup_controllers = []
    namespaces = []
    """
        .formatted(Qemu.USER, Qemu.GROUP);
  }

  private static String domain(String name, String disk) {
    return """
    <domain type="qemu">
      <name>%s</name>
      <memory unit="MiB">32</memory>
      <vcpu>1</vcpu>
      <os><type arch="x86_64" machine="pc">hvm</type></os>
      <devices>
        <emulator>/usr/bin/qemu-system-x86_64</emulator>
        %s
        <memballoon model="none"/>
      </devices>
    </domain>
    """
        .formatted(name, disk);
  }

  private Path socket() {
    return directory.resolve("libvirt-sock");
  }

  /** Defines a domain with that disk, which stays defined. */
  void define(String name, String disk) throws IOException, InterruptedException {
    Path file = directory.resolve(name + ".xml");
    Files.writeString(file, domain(name, disk));
    var _ = virsh("define", file.toString());
  }

  void destroy(String name) throws IOException, InterruptedException {
    var _ = virsh("destroy", name);
  }

  /** Starts a VM that has its disk open and executes nothing; its QEMU writes on command. */
  void start(String name) throws IOException, InterruptedException {
    var _ = virsh("start", "--paused", name);
  }

  /**
   * Lets the domain's QEMU write, as the VM's own driver would. QEMU does not report the outcome.
   */
  void write(String name, String command) throws IOException, InterruptedException {
    String device = "qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend ";
    var _ = virsh("qemu-monitor-command", name, "--hmp", device + '"' + command + '"');
  }

  String virsh(String... words) throws IOException, InterruptedException {
    Outcome outcome = call(words);
    assertThat(outcome.code()).as("%s: %s", List.of(words), outcome.said()).isZero();
    return outcome.said();
  }

  /** The output of a virsh command that has to fail. */
  String failing(String... words) throws IOException, InterruptedException {
    Outcome outcome = call(words);
    assertThat(outcome.code()).as("%s: %s", List.of(words), outcome.said()).isNotZero();
    return outcome.said();
  }

  private record Outcome(int code, String said) {}

  private Outcome call(String... words) throws IOException, InterruptedException {
    List<String> all =
        new ArrayList<>(List.of("virsh", "-c", "qemu+unix:///system?socket=" + socket()));
    all.addAll(List.of(words));
    Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), said);
  }

  /** The kernel kills daemon and machines with the first process of their namespace. */
  @Override
  public void close() {
    daemon.children().forEach(ProcessHandle::destroyForcibly);
    daemon.onExit().join();
  }
}
