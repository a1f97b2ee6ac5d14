package io.quarry.it.hang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.FuseMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Two hosts with separate paths to a storage, so that the storage can hang for one host alone. The
 * first host commits, and copies data into the storage. Another repository is healthy all the time.
 */
public final class HangScene implements AutoCloseable {
  static final String HUNG = "hung";
  static final String SOUND = "sound";
  private static final long MIB = 1L << 20;
  private static final long SLOW = 6 * MIB;

  /** Bytes per second. Calls that read are throttled, too, and have to end. */
  private static final long NEARLY_STANDS_STILL = MIB;

  /**
   * Each window after the first takes more seconds than the tests may take, however slow the
   * machine is.
   */
  private static final int WINDOWS = 14;

  private static final long DATA_BYTES = 24 * MIB;

  private final Box box;
  private final List<FuseMount> mounts = new ArrayList<>();
  private final List<EveryCall.Kind> kinds = new ArrayList<>();
  private String source = "";
  private Copying copying;

  private HangScene(Box box) {
    this.box = box;
    this.copying = new Copying(box, HUNG, "");
  }

  public static HangScene start(Path directory) throws Exception {
    HangScene scene = new HangScene(Box.start(LocalClusterOptions.in(directory).withHosts(2)));
    try {
      scene.prepare(directory);
      return scene;
    } catch (Exception | AssertionError e) {
      scene.close();
      throw e;
    }
  }

  private void prepare(Path directory) throws Exception {
    for (int host = 0; host < 2; host++) {
      Path way = directory.resolve("way-" + host);
      mounts.add(FuseMount.mount(box.repository(HUNG), way));
    }
    for (int host = 0; host < 2; host++) {
      box.connect(SOUND, host);
      box.client(host).setThrottle(SLOW);
    }
    // The only host that reaches the repository commits there, and does its work.
    box.connect(HUNG, 0, mounts.get(0).path());
    StorageClient first = box.client(0);
    String disk = Box.disk(first, HUNG, MIB).imageId();
    String filled = Box.disk(first, HUNG, MIB).imageId();
    Box.awaitOptimized(first, HUNG, disk);
    Box.awaitOptimized(first, HUNG, filled);
    String snapshot = Box.snapshot(first, HUNG, disk).imageId();
    Box.awaitOptimized(first, HUNG, disk);
    String upload = first.beginUpload(HUNG, filled, BeginUploadRequest.RAW, null).uploadId();
    source = Copying.source(first, SOUND, WINDOWS, DATA_BYTES);
    copying = Copying.start(box, first, HUNG, source);
    copying.until(task -> Copying.checkpoint(task) > 0);
    // Whichever host gets the copy next, it does not end before the test lets it.
    first.setThrottle(NEARLY_STANDS_STILL);
    box.client(1).setThrottle(NEARLY_STANDS_STILL);
    box.connect(HUNG, 1, mounts.get(1).path());
    assertThat(box.awaitSdm(HUNG, 0, 1)).isEqualTo(host(0));
    kinds.addAll(
        EveryCall.kinds(
            new EveryCall.Subject(
                HUNG,
                mounts.get(0).path(),
                SOUND,
                disk,
                snapshot,
                copying.imageId(),
                filled,
                upload)));
  }

  String host(int index) {
    return box.hostIds().get(index);
  }

  StorageClient client(int host) {
    return box.client(host);
  }

  List<EveryCall.Kind> kinds() {
    return List.copyOf(kinds);
  }

  EveryCall calls(int host) {
    return new EveryCall(box.host(host).url());
  }

  /** The copy's task, as its host shows it. */
  TaskInfo task() {
    return copying.task().orElseThrow();
  }

  void hang(int host) throws IOException, InterruptedException {
    mounts.get(host).hang();
  }

  void goOn(int host) throws IOException, InterruptedException {
    mounts.get(host).goOn();
  }

  /** Waits until the other host commits; does not ask the host that hangs. */
  void awaitSdm(int host) {
    await()
        .atMost(Box.PATIENCE)
        .until(() -> host(host).equals(client(host).getStorageRepository(HUNG).sdmHostId()));
  }

  /** Waits until that host works on the copy. */
  void awaitClaim(int host, long afterEpoch) {
    var _ = copying.until(task -> task.hostId().equals(host(host)) && task.epoch() > afterEpoch);
  }

  /** Waits until the copy is whole, as that host sees it. */
  void finishCopy(int host) {
    client(host).setThrottle(0);
    Box.awaitOptimized(client(host), HUNG, copying.imageId());
  }

  /** The number of threads of the host's agent. */
  int threads(int host) throws IOException {
    try (var tasks = Files.list(process(host).resolve("task"))) {
      return (int) tasks.count();
    }
  }

  /** The resident memory of the host's agent, in bytes. */
  long residentBytes(int host) throws IOException {
    for (String line : Files.readAllLines(process(host).resolve("status"))) {
      if (line.startsWith("VmRSS:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("no VmRSS");
  }

  private Path process(int host) throws IOException {
    return Path.of("/proc", Long.toString(box.host(host).agentPid().orElseThrow()));
  }

  /** No fix is left, no acknowledged call is lost, and the copy is right. */
  void assertAllIsWell() throws Exception {
    for (int host = 0; host < 2; host++) {
      client(host).setThrottle(0);
    }
    copying.assertBecomes(client(0), SOUND, source);
    copying.assertBecomes(client(1), SOUND, source);
    FixQueries.runAll(client(1), HUNG);
    FixQueries.runAll(client(0), SOUND);
  }

  /** The mounts are closed first, so that calls that wait for them fail. */
  @Override
  public void close() throws IOException {
    try {
      for (FuseMount mount : mounts) {
        mount.close();
      }
    } finally {
      box.close();
    }
  }
}
