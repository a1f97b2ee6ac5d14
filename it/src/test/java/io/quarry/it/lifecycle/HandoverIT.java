package io.quarry.it.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Fix;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageStatus;
import io.quarry.common.api.StatusQuery;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.TaskInfo;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageState;
import io.quarry.common.model.Progress;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A host lets go of a copy on an operator's request, and another host continues from the
 * checkpoint. If workers did not record that they let go, the next worker would begin another file.
 */
@Timeout(300)
final class HandoverIT {
  private static final String MAIN = "main";
  private static final String BACKUP = "backup";
  private static final long MIB = 1L << 20;
  private static final StatusQuery NOW = new StatusQuery(Duration.ZERO, null, 0);

  /** The windows of a copy, each with that much data. */
  private static final int WINDOWS = 5;

  private static final long DATA = 8 * MIB;

  /** The stops of one copy, one after the other. */
  private static final int STOPS = 3;

  /** So slow that a copy stands still until the test lets it continue. */
  private static final long SLOW = 128 << 10;

  private static final long FAST = 16 * MIB;

  @TempDir static Path directory;

  private static Box box;

  /** A client of the host that a test is about. */
  private StorageClient client;

  @BeforeAll
  static void start() throws Exception {
    box = Box.pair(directory, MAIN, BACKUP);
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  @BeforeEach
  void beginAtTheFirst() {
    client = box.client(0);
  }

  @AfterEach
  void unthrottle() {
    throttle(0);
  }

  @Test
  void stoppedCopyGoesOnFromItsCheckpoint() throws Exception {
    String source = Copying.source(client, MAIN, WINDOWS, DATA);
    Copying copy = copyHalfWay(source);
    TaskInfo first = copy.until(any -> true);
    TaskInfo task = first;
    for (int stop = 0; stop < STOPS; stop++) {
      // Another host's agent cannot see for itself when the worker has let go.
      elsewhere(task).stopTask(task.taskId());
      assertThat(copy.task()).isEmpty();
      assertStopped(copy, task);

      Fix fix = FixQueries.of(client, BACKUP, copy.imageId());
      assertThat(fix.state()).isEqualTo("waiting");
      assertThat(fix.lastError()).contains("stopped by request");
      client.fixStorageRepository(BACKUP, new FixRequest(fix), null);
      long epoch = task.epoch();
      TaskInfo next = copy.until(now -> now.epoch() > epoch && Copying.checkpoint(now) >= 0);
      assertThat(Copying.checkpoint(next)).isGreaterThanOrEqualTo(Copying.checkpoint(task));
      task = next;
    }
    assertGoesOnInPlace(copy, source, first);
  }

  private void assertStopped(Copying copy, TaskInfo task) {
    // The shown state of the storage may be some tenths of a second old.
    await()
        .untilAsserted(() -> {
          ImageStatus status = client.getImageStatus(BACKUP, copy.imageId(), NOW);
          assertThat(status.state()).isEqualTo(ImageState.BROKEN);
          assertThat(status.reason())
              .contains("; the mend was stopped by request on " + task.hostId());
          Progress progress = Objects.requireNonNull(status.progress());
          assertThat(progress.lastError()).contains("stopped by request");
          assertThat(progress.hostId()).isEqualTo(task.hostId());
          assertThat(progress.bytesDone()).isBetween(Copying.checkpoint(task), size() - 1);
        });
    FixInfo listed = FixQueries.listed(client, BACKUP, copy.imageId());
    assertThat(listed.state()).isEqualTo("waiting");
    assertThat(listed.lastError()).contains("stopped by request");
  }

  @Test
  void releasedCopyGoesOnElsewhereInPlace() throws Exception {
    String source = Copying.source(client, MAIN, WINDOWS, DATA);
    Copying copy = copyHalfWay(source);
    TaskInfo task = copy.until(any -> true);

    elsewhere(task).releaseTask(task.taskId());
    assertTakenOver(copy, task);
    assertGoesOnInPlace(copy, source, task);
  }

  @Test
  void disconnectedHostLeavesItsCopyToAnother() throws Exception {
    String source = Copying.source(client, MAIN, WINDOWS, DATA);
    Copying copy = copyHalfWay(source);
    TaskInfo task = copy.until(any -> true);
    StorageClient leaving = box.client(task.hostId());
    client = elsewhere(task);

    leaving.disconnectStorageRepository(BACKUP);
    assertThat(
            catchThrowableOfType(StorageException.class, () -> leaving.getStorageRepository(BACKUP))
                .code())
        .isEqualTo(ErrorCode.REPOSITORY_NOT_CONNECTED);
    assertTakenOver(copy, task);
    assertGoesOnInPlace(copy, source, task);

    box.connect(BACKUP);
    copy.assertBecomes(leaving, MAIN, source);
    String disk = Box.disk(leaving, BACKUP, MIB).imageId();
    Box.awaitOptimized(leaving, BACKUP, disk);
  }

  private static long size() {
    return WINDOWS * Copying.WINDOW_BYTES;
  }

  private static void throttle(long bytesPerSecond) {
    box.hostIds().forEach(hostId -> box.client(hostId).setThrottle(bytesPerSecond));
  }

  /** Starts a copy that reaches a checkpoint in its middle, and then hardly moves. */
  private Copying copyHalfWay(String source) {
    throttle(SLOW);
    Copying copy = Copying.start(box, client, BACKUP, source);
    TaskInfo begun = copy.until(task -> Copying.checkpoint(task) >= 0);
    StorageClient worker = box.client(begun.hostId());
    worker.setThrottle(FAST);
    copy.until(task -> Copying.checkpoint(task) >= 2 * Copying.WINDOW_BYTES);
    worker.setThrottle(SLOW);
    return copy;
  }

  private static StorageClient elsewhere(TaskInfo task) {
    return box.client(1 - box.hostIds().indexOf(task.hostId()));
  }

  private static void assertTakenOver(Copying copy, TaskInfo from) {
    TaskInfo next = copy.until(now -> now.epoch() > from.epoch() && Copying.checkpoint(now) >= 0);
    assertThat(next.hostId()).isNotEqualTo(from.hostId());
    assertThat(Copying.checkpoint(next)).isGreaterThanOrEqualTo(Copying.checkpoint(from));
  }

  /** The first epoch's file is the published one, and no other file was written. */
  private void assertGoesOnInPlace(Copying copy, String source, TaskInfo first) throws Exception {
    List<String> files = copy.files(first);
    assertThat(files).hasSize(1);
    assertThat(files.getFirst()).endsWith(".1.raw");
    throttle(0);
    copy.assertBecomes(client, MAIN, source);
    Path published = Path.of(QemuGuest.look(client, BACKUP, copy.imageId()).path());
    assertThat(published.getFileName()).hasToString(files.getFirst());
  }
}
