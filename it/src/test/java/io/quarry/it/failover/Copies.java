package io.quarry.it.failover;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.FixType;
import io.quarry.common.model.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/** Watches copies, and compares their contents with the source. */
final class Copies {
  private static final Duration POLL = Duration.ofMillis(3);

  /** A host that does not answer must not keep the test from asking the others. */
  private static final Duration ASK_MAX = Duration.ofSeconds(1);

  private final ThreeHosts hosts;

  Copies(ThreeHosts hosts) {
    this.hosts = hosts;
  }

  String fixOf(String imageId) {
    return fixOf(ThreeHosts.BACKUP, imageId);
  }

  String fixOf(String repoId, String imageId) {
    return hosts.everywhere().listFixes(repoId, 0).stream()
        .filter(fix -> fix.type() != FixType.CLEAN)
        .filter(fix -> imageId.equals(fix.imageId()))
        .map(FixInfo::fixId)
        .findAny()
        .orElseThrow();
  }

  /** Waits until one of these hosts shows a task of the fix that fits; the highest epoch counts. */
  TaskInfo await(String fixId, List<LocalHost> asked, Predicate<TaskInfo> wanted) {
    List<StorageClient> clients =
        asked.stream().map(host -> hosts.clientWithin(ASK_MAX, List.of(host))).toList();
    try {
      return poll(fixId, clients, wanted);
    } finally {
      clients.forEach(StorageClient::close);
    }
  }

  private static TaskInfo poll(
      String fixId, List<StorageClient> clients, Predicate<TaskInfo> wanted) {
    return Awaitility.await()
        .atMost(ThreeHosts.PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(POLL)
        .pollInSameThread()
        .ignoreExceptionsInstanceOf(StorageException.class)
        .until(
            () ->
                clients.stream()
                    .flatMap(client -> client.listTasks(null).stream())
                    .filter(task -> task.fixId().equals(fixId))
                    .filter(wanted)
                    .max(Comparator.comparingLong(TaskInfo::epoch)),
            Optional::isPresent)
        .orElseThrow();
  }

  /** The offset up to which the copy is durable; −1 before its worker knows where to begin. */
  static long checkpoint(TaskInfo task) {
    Progress progress = task.progress();
    return progress == null || progress.stageName().equals("starting") ? -1 : progress.bytesDone();
  }

  /** Every byte is right, by itself and as QEMU reads it, and holes are holes. */
  void assertEqual(String sourceId, String copyId, SourceImage image)
      throws IOException, InterruptedException {
    Path source = hosts.bottomFile(ThreeHosts.MAIN, sourceId);
    Path copy = hosts.bottomFile(ThreeHosts.BACKUP, copyId);
    assertThat(Files.size(copy)).isEqualTo(image.size());
    assertThat(Files.mismatch(copy, source)).isEqualTo(-1);
    Process compare =
        new ProcessBuilder(
                "qemu-img",
                "compare",
                "-U",
                "-f",
                "raw",
                "-F",
                "raw",
                source.toString(),
                copy.toString())
            .inheritIO()
            .start();
    assertThat(compare.waitFor()).as("qemu-img compare").isZero();
    assertThat(allocatedBytes(copy))
        .as("allocated bytes of the copy")
        .isLessThan(image.dataBytes() + image.dataBytes() / 10)
        .isLessThanOrEqualTo(allocatedBytes(source));
  }

  private static long allocatedBytes(Path file) throws IOException, InterruptedException {
    Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
    try (var out = stat.inputReader()) {
      return Long.parseLong(out.readLine()) * 512;
    }
  }
}
