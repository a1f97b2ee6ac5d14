package io.quarry.it.vm;

import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.dev.DeleteTree;
import io.quarry.it.vm.VmSpec.Disk;
import io.quarry.it.vm.VmSpec.Nic;
import java.io.Closeable;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.TestInfo;

/**
 * A file server and two hosts, each a virtual machine, with a cable from each host to the server.
 * Both hosts reach one more disk, {@link SharedDisk#DEVICE}.
 */
public final class Lab implements Closeable {
  private static final String SERVER = "s";
  private static final List<String> HOSTS = List.of("a", "b");
  private static final int MEMORY_MIB = 768;
  private static final long EXPORT_BYTES = 2L << 30;
  private static final long STATE_BYTES = 64L << 20;
  private static final long SHARED_BYTES = 5L << 30;

  private final Path directory;
  private final Path sockets;
  private final Map<String, LabVm> vms;
  private final NfsServer nfs;
  private @Nullable LabAgents agents;

  private Lab(Path directory, Path sockets, Map<String, LabVm> vms) {
    this.directory = directory;
    this.sockets = sockets;
    this.vms = vms;
    this.nfs = new NfsServer(server());
  }

  /** Where the logs of machines are that a test starts. */
  static Path logs(Class<?> test, Method method) {
    return Path.of("target", "lab", test.getSimpleName(), method.getName()).toAbsolutePath();
  }

  /** A directory for the logs and disks of a test that has machines of its own. */
  public static Path emptyDirectory(TestInfo test) throws IOException {
    Path directory = logs(test.getTestClass().orElseThrow(), test.getTestMethod().orElseThrow());
    DeleteTree.of(directory);
    return Files.createDirectories(directory);
  }

  /**
   * Boots all machines and starts the server.
   *
   * @param directory for logs and disks, emptied first; the logs stay
   */
  static Lab start(Path directory) throws Exception {
    LabKit kit = LabKit.find();
    DeleteTree.of(directory);
    Files.createDirectories(directory);
    Path export = directory.resolve("export.raw");
    Sparse.make(export, EXPORT_BYTES);
    Path shared = directory.resolve("shared.raw");
    Sparse.make(shared, SHARED_BYTES);
    JarDisk jars = JarDisk.make(directory);
    // Below /tmp the paths of sockets are short enough.
    Path sockets = Files.createTempDirectory("lab");
    Disk jarDisk = jars.disk();
    List<VmSpec> specs = new ArrayList<>();
    List<Nic> serverNics = new ArrayList<>();
    for (int i = 0; i < HOSTS.size(); i++) {
      Path here = sockets.resolve(HOSTS.get(i) + ".net");
      Path there = sockets.resolve(SERVER + i + ".net");
      String server = "10.99.%d.1".formatted(i);
      String host = "10.99.%d.2".formatted(i);
      serverNics.add(new Nic(there, here, server, host));
      Nic nic = new Nic(here, there, host, server);
      Path state = directory.resolve(HOSTS.get(i) + "-state.raw");
      Sparse.make(state, STATE_BYTES);
      Disk stateDisk = Disk.own(LabAgent.STATE_DISK, state);
      Disk sharedDisk = Disk.shared("shared", shared);
      List<Disk> disks = List.of(jarDisk, stateDisk, sharedDisk);
      specs.add(new VmSpec(HOSTS.get(i), MEMORY_MIB, disks, List.of(nic)));
    }
    Disk disk = Disk.own(NfsServer.DISK, export);
    specs.add(new VmSpec(SERVER, MEMORY_MIB, List.of(jarDisk, disk), serverNics));
    Map<String, LabVm> vms = new LinkedHashMap<>();
    Spawner spawner = new Spawner();
    for (VmSpec spec : specs) {
      vms.put(spec.name(), new LabVm(spec, kit, jars, spawner, directory, sockets));
    }
    Lab lab = new Lab(directory, sockets, vms);
    try {
      lab.boot();
    } catch (IOException | InterruptedException | ExecutionException e) {
      lab.close();
      throw e;
    }
    return lab;
  }

  private void boot() throws IOException, InterruptedException, ExecutionException {
    LabVm.startAll(vms.values());
    nfs.start();
  }

  public LabVm server() {
    return machine(SERVER);
  }

  /** The service of the server. */
  public NfsServer nfs() {
    return nfs;
  }

  /** One of the two hosts, {@code a} or {@code b}. */
  public LabVm host(String name) {
    return machine(name);
  }

  public List<LabVm> hosts() {
    return HOSTS.stream().map(this::host).toList();
  }

  /** Agents on all hosts, started when they are first needed. */
  public LabAgents agents() throws IOException, InterruptedException, TimeoutException {
    if (agents == null) {
      agents = LabAgents.start(hosts(), nfs, directory);
    }
    return agents;
  }

  private LabVm machine(String name) {
    return Objects.requireNonNull(vms.get(name), () -> "there is no machine " + name);
  }

  /** For files that a test wants to keep. */
  public Path directory() {
    return directory;
  }

  /** Keeps what the guests know about a failure; a guest may be past telling. */
  void saveDiagnosis(Throwable failure) throws InterruptedException {
    for (LabVm vm : vms.values()) {
      if (vm.isRunning()) {
        try {
          vm.saveDiagnosis();
        } catch (IOException e) {
          failure.addSuppressed(e);
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    if (agents != null) {
      agents.close();
    }
    for (LabVm vm : vms.values()) {
      vm.close();
    }
    Files.deleteIfExists(directory.resolve("export.raw"));
    Files.deleteIfExists(directory.resolve("shared.raw"));
    Files.deleteIfExists(directory.resolve("jars.ext4"));
    for (String host : HOSTS) {
      Files.deleteIfExists(directory.resolve(host + "-state.raw"));
    }
    DeleteTree.of(directory.resolve("jars"));
    DeleteTree.of(sockets);
  }
}
