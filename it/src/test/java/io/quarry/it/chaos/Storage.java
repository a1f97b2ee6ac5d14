package io.quarry.it.chaos;

import io.quarry.agent.data.process.Spawner;
import io.quarry.it.box.FuseMount;
import io.quarry.it.box.Xfs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A private XFS, and for each host a path of its own to it through FUSE. */
final class Storage implements AutoCloseable {
  private static final String FORCES = "fsync,fdatasync";
  private static final String WRITES = FORCES + ",pwrite64,pwritev,fallocate,linkat,link";

  private final Path directory;
  private final List<String> hosts;
  private final Xfs xfs;
  private final Map<String, FuseMount> mounts = new LinkedHashMap<>();
  private final Spawner spawner = new Spawner();

  private Storage(Path directory, List<String> hosts, Xfs xfs) {
    this.directory = directory;
    this.hosts = List.copyOf(hosts);
    this.xfs = xfs;
  }

  static Storage mount(Path directory, List<String> hosts) throws Exception {
    Storage storage = new Storage(directory, hosts, Xfs.mount(directory.resolve("xfs")));
    try {
      storage.mountAll();
      return storage;
    } catch (Exception | AssertionError failure) {
      storage.close();
      throw failure;
    }
  }

  private void mountAll() throws Exception {
    for (String host : hosts) {
      mounts.put(host, FuseMount.mount(directory.resolve("xfs"), of(host)));
    }
  }

  /** The host's path to the storage. */
  Path of(String host) {
    return directory.resolve("mounts").resolve(host);
  }

  private FuseMount mountOf(String host) {
    FuseMount mount = mounts.get(host);
    if (mount == null) {
      throw new IllegalStateException(host + " has no storage");
    }
    return mount;
  }

  void hang(String host) throws IOException, InterruptedException {
    mountOf(host).hang();
  }

  void goOn(String host) throws IOException, InterruptedException {
    mountOf(host).goOn();
  }

  /** Each force takes that long. */
  Process slow(String host, int micros) throws IOException {
    return inject(host, FORCES, "delay_enter=" + micros);
  }

  /** Forces, writes and links fail: all of them, or every fifth. */
  Process fail(String host, boolean all) throws IOException {
    return inject(host, WRITES, "error=EIO" + (all ? "" : ":when=3+5"));
  }

  /** All writes fail, since the storage seems full. */
  Process full(String host) throws IOException {
    return inject(host, "pwrite64,pwritev,fallocate", "error=ENOSPC");
  }

  /** Injects faults into the host's calls until the returned process is ended. */
  private Process inject(String host, String calls, String what) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(
                "strace",
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-p",
                Long.toString(mountOf(host).pid()),
                "-e",
                "trace=" + calls,
                "-e",
                "inject=" + calls + ":" + what));
    return spawner.start(
        new ProcessBuilder(words)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD));
  }

  /** Drops all writes that were not forced; all calls fail. */
  void cutPower() throws IOException, InterruptedException {
    xfs.cutPower();
  }

  /** Call this when no process uses the storage any more. */
  void restorePower() throws Exception {
    closeMounts();
    xfs.restorePower();
    mountAll();
  }

  private void closeMounts() throws IOException {
    for (FuseMount mount : List.copyOf(mounts.values())) {
      mount.close();
    }
    mounts.clear();
  }

  @Override
  public void close() throws IOException {
    closeMounts();
    xfs.close();
  }
}
