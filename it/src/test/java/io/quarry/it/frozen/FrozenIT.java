package io.quarry.it.frozen;

import static io.quarry.it.frozen.TwoUsers.AGENT;
import static io.quarry.it.frozen.TwoUsers.FROZEN;
import static io.quarry.it.frozen.TwoUsers.MAIN;
import static io.quarry.it.frozen.TwoUsers.OTHER;
import static io.quarry.it.frozen.TwoUsers.SIZE;
import static io.quarry.it.frozen.TwoUsers.WRITABLE;
import static io.quarry.it.frozen.TwoUsers.mode;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Event;
import io.quarry.common.api.EventStream;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenInfo;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.FixQueries;
import io.quarry.it.box.QemuGuest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 20.1 and 20.2: ordinary commands of QEMU, and Quarry's reports about them. The agent and QEMU are
 * two users, neither of them root.
 */
@Timeout(300)
final class FrozenIT {
  @TempDir static Path directory;

  private static TwoUsers host;
  private static StorageClient client;

  @BeforeAll
  static void start() throws Exception {
    host = TwoUsers.start(directory);
    client = host.client();
  }

  @AfterAll
  static void stop() {
    if (host != null) {
      host.close();
    }
  }

  /** The agent is not root: it has to thaw files before it writes to them. */
  @Test
  void filesHaveTheirModesAndOwnersAfterEachStep() throws Exception {
    String disk = host.disk();
    String base = host.opened(disk).path();
    assertThat(mode(base)).isEqualTo(WRITABLE);
    QemuGuest.use(client, MAIN, disk, "write -P 1 0 32M");
    String snapshot = host.snapshot(disk);
    assertThat(mode(base)).isEqualTo(FROZEN);
    assertThat(mode(host.opened(disk).path())).isEqualTo(WRITABLE);
    QemuGuest.use(client, MAIN, disk, "write -P 2 1M 64k");

    String copy = Copying.copy(client, OTHER, snapshot, ImageOptions.DEFAULT).imageId();
    Box.awaitOptimized(client, OTHER, copy);
    assertThat(mode(QemuGuest.look(client, OTHER, copy).path())).isEqualTo(FROZEN);
    var thin = Box.newDisk(SIZE, copy, ImageOptions.DEFAULT);
    String over = client.createVirtualDisk(OTHER, thin, null).imageId();
    Box.awaitOptimized(client, OTHER, over);
    assertThat(mode(QemuGuest.look(client, OTHER, over).path())).isEqualTo(WRITABLE);
    assertThat(mode(QemuGuest.look(client, OTHER, copy).path())).isEqualTo(FROZEN);

    client.removeImage(MAIN, snapshot, RemoveImageOptions.DEFAULT, null);
    awaitMerge(disk, base);
    assertThat(mode(base)).isEqualTo(WRITABLE);
  }

  /** R9: a domain with an outdated definition. */
  @Test
  void stalePathIsDeniedToQemuAndNamedWhenRootWroteToIt() throws Exception {
    String disk = host.disk();
    String path = host.opened(disk).path();
    List<String> write = List.of("qemu-io", "-f", "raw", "-c", "write -P 7 0 64k", path);
    Qemu.run(Qemu.asItsUser(write.toArray(String[]::new)));
    String snapshot = host.snapshot(disk);
    String before = QemuGuest.sha256(Path.of(path));
    String tag = host.etag(snapshot);

    assertThat(Qemu.failing(Qemu.asItsUser(write.toArray(String[]::new))))
        .contains("Permission denied");
    assertThat(QemuGuest.sha256(Path.of(path))).isEqualTo(before);
    assertThat(host.etag(snapshot)).isEqualTo(tag);
    assertThat(host.problems(snapshot)).isEmpty();

    Qemu.run(List.of("qemu-io", "-f", "raw", "-c", "write -P 8 0 64k", path));
    assertThat(host.problems(snapshot))
        .extracting(Problem::kind)
        .containsExactly(Problem.Kind.CHANGED_VOLUME);
    assertThat(host.etag(snapshot)).isNotEqualTo(tag);
    assertThat(client.explainImage(MAIN, snapshot, 0).sentences())
        .anyMatch(sentence -> sentence.contains("Another process changed its file"));
  }

  @Test
  void diskThatAnotherQemuWritesToIsInUse() throws Exception {
    String disk = host.disk();
    OpenedImage opened = host.opened(disk);
    Qemu qemu = Qemu.holding(directory, opened.path(), "raw", true);
    try {
      refused(() -> client.openImage(MAIN, disk, new OpenRequest(false, "second"), null));
      refused(() -> Box.snapshot(client, MAIN, disk));
      refused(() -> client.resizeImage(MAIN, disk, 2 * SIZE, null));
      refused(() -> Copying.copy(client, OTHER, disk, ImageOptions.DEFAULT));
      refused(() -> client.beginUpload(MAIN, disk, BeginUploadRequest.RAW, null));
      refused(() -> client.removeImage(MAIN, disk, RemoveImageOptions.DEFAULT, null));
      assertThat(host.problems(disk))
          .singleElement()
          .satisfies(problem -> {
            assertThat(problem.kind()).isEqualTo(Problem.Kind.FOREIGN_WRITER);
            assertThat(problem.reason()).contains("writes to the file");
          });
      assertThat(QemuGuest.look(client, MAIN, disk).path()).isEqualTo(opened.path());
    } finally {
      qemu.close();
    }
    assertThat(host.problems(disk)).isEmpty();
    assertThat(Box.snapshot(client, MAIN, disk).imageId()).isNotEmpty();
  }

  /** R14: an engine reports the end of a VM whose QEMU still writes. */
  @Test
  void openIsNotClosedAsLongAsItsMachineWrites() throws Exception {
    String disk = host.disk();
    OpenedImage opened = client.openImage(MAIN, disk, new OpenRequest(false, "vm-1"), null);
    Qemu qemu = Qemu.holding(directory, opened.path(), "raw", true);
    try {
      stillWriting(() -> client.closeImage(MAIN, disk, opened.openId(), null));
      stillWriting(() -> client.closeOpen(MAIN, opened.openId(), false, null));
      assertThat(client.getOpen(MAIN, opened.openId(), 0).state()).isEqualTo(OpenInfo.State.IN_USE);
      try (EventStream events = client.watchEvents(null)) {
        assertThat(events.next(Box.PATIENCE)).isInstanceOf(Event.Start.class);
        client.closeOpen(MAIN, opened.openId(), true, null);
        assertThat(fenced(events).id()).isEqualTo(opened.hostId());
      }
      assertThat(client.listOpens(MAIN, null, 0)).noneMatch(open -> open.imageId().equals(disk));
    } finally {
      qemu.close();
    }
    OpenedImage again = client.openImage(MAIN, disk, new OpenRequest(false, "vm-1"), null);
    client.closeOpen(MAIN, again.openId(), false, null);
    assertThatThrownBy(() -> client.closeOpen(MAIN, again.openId(), false, null))
        .isInstanceOfSatisfying(
            StorageException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.OPEN_NOT_FOUND));
  }

  /** Progress and commits of other tests may come before. */
  private static Event.Operation fenced(EventStream events) {
    while (true) {
      Event event = Objects.requireNonNull(events.next(Box.PATIENCE));
      if (event instanceof Event.Commit commit) {
        for (Event.Operation operation : commit.operations()) {
          if (operation.operation().equals("fenceOpens")) {
            return operation;
          }
        }
      }
    }
  }

  private static void stillWriting(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class,
            refusal -> {
              assertThat(refusal.code()).isEqualTo(ErrorCode.STILL_WRITING);
              assertThat(refusal.remedy()).contains("--force");
            });
  }

  @Test
  void diskThatAnotherQemuWritesToIsRemovedByForce() throws Exception {
    String disk = host.disk();
    try (var _ = Qemu.holding(directory, host.opened(disk).path(), "raw", true)) {
      var forced = new RemoveImageOptions(true, Duration.ZERO, true);
      assertThat(client.removeImage(MAIN, disk, forced, null).commit()).isPositive();
    }
  }

  /** 20.1: tools that know the file of a snapshot cannot change the file. */
  @Test
  void toolsAreDeniedToWriteToAFrozenFile() throws Exception {
    String disk = host.disk();
    QemuGuest.use(client, MAIN, disk, "write -P 1 0 1M");
    String first = host.snapshot(disk);
    String base = QemuGuest.look(client, MAIN, first).path();
    QemuGuest.use(client, MAIN, disk, "write -P 2 1M 1M");
    String second = host.snapshot(disk);
    String overlay = QemuGuest.look(client, MAIN, second).path();
    Path mine = Files.createDirectories(directory.resolve("tools"));
    Qemu.run(List.of("chown", Integer.toString(Qemu.USER), mine.toString()));
    String top = mine.resolve("top").toString();
    Qemu.run(
        Qemu.asItsUser("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", top));
    String before = QemuGuest.sha256(Path.of(base)) + QemuGuest.sha256(Path.of(overlay));

    denied("qemu-img", "resize", "-q", "-f", "raw", base, "128M");
    denied("qemu-img", "resize", "-q", "-f", "qcow2", overlay, "128M");
    denied("qemu-img", "commit", "-q", "-f", "qcow2", top);
    denied("qemu-img", "commit", "-q", "-f", "qcow2", overlay);
    denied("qemu-img", "rebase", "-q", "-u", "-f", "qcow2", "-b", "", overlay);
    assertThat(QemuGuest.sha256(Path.of(base)) + QemuGuest.sha256(Path.of(overlay)))
        .isEqualTo(before);
    assertThat(host.problems(first)).isEmpty();
    assertThat(host.problems(second)).isEmpty();
  }

  private static void denied(String... words) throws Exception {
    assertThat(Qemu.failing(Qemu.asItsUser(words))).contains("Permission denied");
  }

  @Test
  void diskThatAnotherQemuReadsMayBeUsed() throws Exception {
    String disk = host.disk();
    try (var _ = Qemu.holding(directory, host.opened(disk).path(), "raw", false)) {
      assertThat(host.opened(disk).imageId()).isEqualTo(disk);
      assertThat(Box.snapshot(client, MAIN, disk).imageId()).isNotEmpty();
      assertThat(host.problems(disk)).isEmpty();
    }
  }

  /** 20.3: the fix was tried for ever, and no report gave the reason. */
  @Test
  void fileThatLibvirtTookOverIsItsImagesProblemAndEndsInAFailure() throws Exception {
    String disk = host.disk();
    String base = host.opened(disk).path();
    QemuGuest.use(client, MAIN, disk, "write -P 1 0 32M");
    String snapshot = host.snapshot(disk);
    QemuGuest.use(client, MAIN, disk, "write -P 2 1M 64k");
    Qemu.run(List.of("chown", Integer.toString(Qemu.USER), base));
    assertThat(host.problems(snapshot))
        .singleElement()
        .satisfies(problem -> {
          assertThat(problem.kind()).isEqualTo(Problem.Kind.FORBIDDEN_VOLUME);
          assertThat(problem.reason()).contains("belongs to user " + Qemu.USER);
          assertThat(problem.remedy()).contains("chown " + AGENT + " " + base);
        });
    client.removeImage(MAIN, snapshot, RemoveImageOptions.DEFAULT, null);
    await()
        .atMost(Box.PATIENCE)
        .until(() ->
            client.listFixes(MAIN, 0).stream()
                .anyMatch(fix ->
                    fix.lastError() != null
                        && fix.lastError().contains("belongs to user " + Qemu.USER)));
    Qemu.run(List.of("chown", Integer.toString(AGENT), base));
    FixQueries.found(client, MAIN)
        .forEach(fix -> client.fixStorageRepository(MAIN, new FixRequest(fix), null));
    awaitMerge(disk, base);
  }

  /** Waits without an open: an open would turn the merge to a new volume. */
  private void awaitMerge(String disk, String base) {
    await().atMost(Box.PATIENCE).until(() -> client.listFixes(MAIN, 0).isEmpty());
    assertThat(host.opened(disk).path()).isEqualTo(base);
  }

  /** The VM runs already, and the engine has lost the answer. */
  @Test
  void openThatIsRepeatedIsAnsweredThoughItsFileWasGivenAway() throws Exception {
    String disk = host.disk();
    OpenRequest request = new OpenRequest(false, "vm");
    OpenedImage first = client.openImage(MAIN, disk, request, "given-away");
    Qemu.run(List.of("chown", Qemu.USER + ":" + Qemu.USER, first.path()));
    assertThat(client.openImage(MAIN, disk, request, "given-away")).isEqualTo(first);
  }

  /** 20.4: a growth by the VM stays when the disk is closed. */
  @Test
  void growthByAMachineIsAdoptedWhenTheDiskIsClosed() throws Exception {
    String disk = host.disk();
    OpenedImage opened = client.openImage(MAIN, disk, new OpenRequest(false, "vm"), null);
    Qemu.run(
        List.of("qemu-img", "resize", "-q", "-f", "raw", opened.path(), Long.toString(2 * SIZE)));
    client.closeImage(MAIN, disk, opened.openId(), null);
    assertThat(client.getImage(MAIN, disk, 0).size()).isEqualTo(2 * SIZE);
    assertThat(host.opened(disk).size()).isEqualTo(2 * SIZE);
    assertThat(host.problems(disk)).isEmpty();
  }

  private static void refused(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.IMAGE_IN_USE))
        // An agent that is not root cannot see which process.
        .hasMessageContaining("a process on this host writes to its file");
  }
}
