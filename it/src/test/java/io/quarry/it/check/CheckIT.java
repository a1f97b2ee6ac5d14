package io.quarry.it.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.agent.dev.LocalHost;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.Fix;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.FixType;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.Pausing;
import io.quarry.it.box.QemuGuest;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Check finds leftovers of crashes and changes by other programs, and names a remedy for each. */
@Timeout(300)
final class CheckIT {
  /**
   * A host that loses its session on a slow machine may see its fix go on elsewhere. The other host
   * then removes the leftovers that this test is about.
   */
  private static final Duration SESSION = Duration.ofSeconds(15);

  private static final long MIB = 1L << 20;

  @TempDir static Path directory;

  private static Box box;
  private static Path armed;

  private String main;
  private String backup;

  @BeforeAll
  static void start() throws Exception {
    armed = directory.resolve("armed");
    box =
        Box.start(
            LocalClusterOptions.in(directory)
                .withHosts(2)
                .withSessionTimeout(SESSION)
                .withJavaOptions(
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Dquarry.fault.stopAt=copy.published",
                    "-Dquarry.fault.armedBy=" + armed));
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void makeRepositories() throws Exception {
    main = box.newRepository();
    backup = box.newRepository();
  }

  /** Only check would ever find the claims and checkpoints of a fix that the log has dropped. */
  @Test
  void leftoversOfAPublisherKilledBetweenCommitAndTidyingAreCleaned() throws Exception {
    String disk = Copying.source(box.client(0), main, 1, 8 * MIB);
    String snapshot = Box.snapshot(box.client(0), main, disk).imageId();
    Box.awaitOptimized(box.client(0), main, disk);
    Files.createFile(armed);
    Copying copy = Copying.start(box, box.client(0), backup, snapshot);
    LocalHost victim = await().atMost(Box.PATIENCE).until(() -> stopped(), host -> host != null);
    LocalHost other = victim == box.host(0) ? box.host(1) : box.host(0);
    StorageClient client = box.client(other.hostId());
    Files.delete(armed);
    victim.killAgent();
    copy.assertBecomes(client, main, snapshot);

    Path left = box.repository(backup).resolve("fixes");
    List<String> names = Box.names(left);
    assertThat(names)
        .as("killed: %s", victim.hostId())
        .singleElement()
        .asString()
        .startsWith("mend-");
    Fix found =
        FixQueries.found(client, backup).stream()
            .filter(fix -> fix.reason().contains("fixes/" + names.getFirst()))
            .findAny()
            .orElseThrow();
    assertThat(found.type()).isEqualTo(FixType.CLEAN);
    FixQueries.runAll(client, backup);
    assertThat(left).isEmptyDirectory();
    victim.awaitReady(Box.PATIENCE);
  }

  private static @Nullable LocalHost stopped() throws Exception {
    for (String hostId : box.hostIds()) {
      if (Pausing.stopped(box.host(hostId))) {
        return box.host(hostId);
      }
    }
    return null;
  }

  @Test
  void filesThatAreMissingOrCutAndUsersThatAreGoneAreFound() throws Exception {
    StorageClient client = box.client(0);
    String cut = Copying.source(client, main, 1, MIB);
    String disk = Copying.source(client, main, 1, MIB);
    String snapshot = Box.snapshot(client, main, disk).imageId();
    Box.awaitOptimized(client, main, disk);
    Copying.copy(client, backup, snapshot, ImageOptions.DEFAULT);
    Box.awaitOptimized(client, backup, snapshot);
    assertThat(problems(client, main)).isEmpty();
    assertThat(problems(client, backup)).isEmpty();

    Path ofCut = Path.of(QemuGuest.look(client, main, cut).path());
    try (RandomAccessFile file = new RandomAccessFile(ofCut.toFile(), "rw")) {
      file.setLength(file.length() - 1);
    }
    Files.delete(Path.of(QemuGuest.look(client, main, snapshot).path()));
    Files.createFile(ofCut.resolveSibling("notes.txt"));
    assertThat(problems(client, main))
        .satisfiesExactlyInAnyOrder(
            problem -> {
              assertThat(problem.kind()).isEqualTo(Problem.Kind.MISSING_VOLUME);
              assertThat(problem.imageId()).isEqualTo(cut);
              assertThat(problem.subject()).isEqualTo(String.valueOf(ofCut.getFileName()));
              assertThat(problem.reason()).contains("134217727 bytes of at least 134217728");
            },
            problem -> {
              assertThat(problem.kind()).isEqualTo(Problem.Kind.MISSING_VOLUME);
              assertThat(problem.imageId()).isEqualTo(snapshot);
              assertThat(problem.reason()).contains("is not there", "over it: 1 visible images");
              assertThat(problem.remedy()).contains("backup of the storage");
            },
            problem -> {
              assertThat(problem.kind()).isEqualTo(Problem.Kind.FOREIGN_FILE);
              assertThat(problem.subject()).isEqualTo("notes.txt");
            });

    // Without an overlay on the snapshot, the snapshot's other copy is enough.
    client.removeImage(main, disk, RemoveImageOptions.DEFAULT, null);
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() ->
            assertThat(problems(client, main))
                .filteredOn(problem -> snapshot.equals(problem.imageId()))
                .singleElement()
                .extracting(Problem::remedy)
                .asString()
                .contains("copy it again from repository " + backup));

    OpenedImage opened =
        box.client(1).openImage(backup, snapshot, new OpenRequest(true, "vm-7"), null);
    box.host(1).killHost();
    await()
        .atMost(Box.PATIENCE)
        .untilAsserted(() ->
            assertThat(problems(client, backup))
                .singleElement()
                .satisfies(problem -> {
                  assertThat(problem.kind()).isEqualTo(Problem.Kind.STALE_OPEN);
                  assertThat(problem.subject()).isEqualTo(opened.openId());
                  assertThat(problem.reason())
                      .contains("vm-7 has it open on " + box.host(1).hostId());
                }));
    client.fenceHost(box.host(1).hostId());
    assertThat(problems(client, backup)).isEmpty();
    box.host(1).start();
    box.host(1).awaitReady(Box.PATIENCE);
  }

  private static List<Problem> problems(StorageClient client, String repoId) {
    return client.checkStorageRepository(repoId, CheckOptions.DEFAULT).problems();
  }
}
