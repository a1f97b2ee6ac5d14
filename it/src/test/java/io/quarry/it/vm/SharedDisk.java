package io.quarry.it.vm;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.dev.DeleteTree;
import io.quarry.it.vm.VmSpec.Disk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;

/** Two hosts, each a virtual machine, and a disk that both write to. */
public final class SharedDisk implements Closeable {
  /** The shared disk in a guest. */
  public static final String DEVICE = "/dev/disk/by-id/virtio-shared";

  /** A small disk of the host's own, in a guest. */
  public static final String OWN = "/dev/disk/by-id/virtio-own";

  private static final List<String> HOSTS = List.of("a", "b");
  private static final int MEMORY_MIB = 512;
  private static final long OWN_BYTES = 1L << 20;

  private final Path directory;
  private final Path sockets;
  private final List<LabVm> hosts;

  private SharedDisk(Path directory, Path sockets, List<LabVm> hosts) {
    this.directory = directory;
    this.sockets = sockets;
    this.hosts = hosts;
  }

  /**
   * Boots the hosts. They share a file of this host, around its page cache.
   *
   * @param directory for logs and disks; the logs stay
   */
  public static SharedDisk ofFile(Path directory, Path image) throws Exception {
    return start(directory, Disk.shared("shared", image));
  }

  /** Boots the hosts. They share the disk of an NBD server. */
  public static SharedDisk ofServer(Path directory, Path socket) throws Exception {
    return start(directory, Disk.served("shared", socket));
  }

  private static SharedDisk start(Path directory, Disk shared) throws Exception {
    LabKit kit = LabKit.find();
    JarDisk jars = JarDisk.make(directory);
    // Below /tmp the paths of sockets are short enough.
    Path sockets = Files.createTempDirectory("lab");
    Spawner spawner = new Spawner();
    List<LabVm> hosts = new ArrayList<>();
    for (String host : HOSTS) {
      Path own = own(directory, host);
      Sparse.make(own, OWN_BYTES);
      List<Disk> disks = List.of(jars.disk(), shared, Disk.own("own", own));
      VmSpec spec = new VmSpec(host, MEMORY_MIB, disks, List.of());
      hosts.add(new LabVm(spec, kit, jars, spawner, directory, sockets));
    }
    SharedDisk started = new SharedDisk(directory, sockets, hosts);
    try {
      started.boot();
    } catch (IOException | InterruptedException | ExecutionException e) {
      started.close();
      throw e;
    }
    return started;
  }

  /** Switches both hosts on. */
  public void boot() throws IOException, InterruptedException, ExecutionException {
    LabVm.startAll(hosts);
  }

  /** Takes the power away from both hosts. */
  public void switchOff() throws IOException {
    for (LabVm host : hosts) {
      host.cutPower();
    }
  }

  public List<LabVm> hosts() {
    return hosts;
  }

  private static Path own(Path directory, String host) {
    return directory.resolve(host + "-own.raw");
  }

  @Override
  public void close() throws IOException {
    for (LabVm host : hosts) {
      host.close();
      Files.deleteIfExists(own(directory, host.name()));
    }
    Files.deleteIfExists(directory.resolve("jars.ext4"));
    DeleteTree.of(directory.resolve("jars"));
    DeleteTree.of(sockets);
  }
}
