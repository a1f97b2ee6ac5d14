package io.quarry.it.frozen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quarry.agent.dev.LocalClusterOptions;
import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.CheckOptions;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.FixRequest;
import io.quarry.common.api.ImageOptions;
import io.quarry.common.api.OpenRequest;
import io.quarry.common.api.OpenedImage;
import io.quarry.common.api.Problem;
import io.quarry.common.api.RemoveImageOptions;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.it.box.Box;
import io.quarry.it.box.Copying;
import io.quarry.it.box.Fixes;
import io.quarry.it.box.Guest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * 20.1 and 20.2: ordinary commands of QEMU and what Quarry says of them. The agent and QEMU are two
 * users, neither of them root.
 */
@Timeout(300)
final class FrozenIT {
  private static final int AGENT = 12_345;
  private static final String MAIN = "main";
  private static final String OTHER = "other";
  private static final long MIB = 1 << 20;
  private static final long SIZE = 64 * MIB;
  private static final String OWN = AGENT + ":" + Qemu.GROUP;
  private static final String WRITABLE = "rw-rw---- " + OWN;
  private static final String FROZEN = "r--r----- " + OWN;

  @TempDir static Path directory;

  private static Box box;
  private static StorageClient client;

  @BeforeAll
  static void start() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    // It may read everywhere, since the class path of a build is root's; it may write its own
    // alone.
    String become =
        "chown -R %1$d:%2$d '%3$s' && exec setpriv --reuid %1$d --regid %2$d --clear-groups"
                .formatted(AGENT, Qemu.GROUP, directory)
            + " --inh-caps +dac_read_search --ambient-caps +dac_read_search -- \"$@\"";
    LocalClusterOptions options = LocalClusterOptions.in(directory);
    box =
        Box.start(
            new LocalClusterOptions(
                1,
                directory,
                options.sessionTimeout(),
                options.externalZooKeeper(),
                options.javaOptions(),
                options.agentConfig(),
                options.guardianArguments(),
                List.of("sh", "-c", become, "agent")));
    client = box.client(0);
    for (String repoId : List.of(MAIN, OTHER)) {
      Path root = Files.createDirectories(box.repository(repoId));
      Qemu.run(List.of("chown", "-R", OWN, root.resolveSibling(".").toString()));
      box.connect(repoId);
      box.awaitSdm(repoId, 0);
    }
  }

  @AfterAll
  static void stop() {
    if (box != null) {
      box.close();
    }
  }

  private static String disk() {
    String disk = Box.disk(client, MAIN, SIZE).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    return disk;
  }

  /** Where a domain would have it that was defined now. */
  private static OpenedImage opened(String disk) {
    OpenedImage opened = client.openImage(MAIN, disk, new OpenRequest(false, "domain"), null);
    client.closeImage(MAIN, disk, opened.openId(), null);
    return opened;
  }

  private static List<Problem> problems(String imageId) {
    return client.checkStorageRepository(MAIN, CheckOptions.DEFAULT).problems().stream()
        .filter(problem -> imageId.equals(problem.imageId()))
        .toList();
  }

  private static String etag(String imageId) throws Exception {
    try (var data = client.downloadImage(MAIN, imageId, DownloadRequest.WHOLE)) {
      return data.etag();
    }
  }

  private static String mode(String file) throws Exception {
    Path path = Path.of(file);
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path))
        + " "
        + Files.getAttribute(path, "unix:uid")
        + ":"
        + Files.getAttribute(path, "unix:gid");
  }

  /** The agent is not root: it has to thaw what it writes down into. */
  @Test
  void filesHaveTheirModesAndOwnersAfterEachStep() throws Exception {
    String disk = disk();
    String base = opened(disk).path();
    assertThat(mode(base)).isEqualTo(WRITABLE);
    Guest.use(client, MAIN, disk, "write -P 1 0 32M");
    String snapshot = Box.snapshot(client, MAIN, disk).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    assertThat(mode(base)).isEqualTo(FROZEN);
    assertThat(mode(opened(disk).path())).isEqualTo(WRITABLE);
    Guest.use(client, MAIN, disk, "write -P 2 1M 64k");
    client.removeImage(MAIN, snapshot, RemoveImageOptions.DEFAULT, null);
    await().atMost(Box.PATIENCE).until(() -> opened(disk).path().equals(base));
    assertThat(mode(base)).isEqualTo(WRITABLE);
  }

  /** The domain of yesterday: R9. */
  @Test
  void stalePathIsDeniedToQemuAndNamedWhenRootWroteToIt() throws Exception {
    String disk = disk();
    String path = opened(disk).path();
    List<String> write = List.of("qemu-io", "-f", "raw", "-c", "write -P 7 0 64k", path);
    Qemu.run(Qemu.asItsUser(write.toArray(String[]::new)));
    String snapshot = Box.snapshot(client, MAIN, disk).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    String before = Guest.sha256(Path.of(path));
    String tag = etag(snapshot);

    assertThat(Qemu.failing(Qemu.asItsUser(write.toArray(String[]::new))))
        .contains("Permission denied");
    assertThat(Guest.sha256(Path.of(path))).isEqualTo(before);
    assertThat(etag(snapshot)).isEqualTo(tag);
    assertThat(problems(snapshot)).isEmpty();

    Qemu.run(List.of("qemu-io", "-f", "raw", "-c", "write -P 8 0 64k", path));
    assertThat(problems(snapshot))
        .extracting(Problem::kind)
        .containsExactly(Problem.Kind.CHANGED_VOLUME);
    assertThat(etag(snapshot)).isNotEqualTo(tag);
    assertThat(client.explainImage(MAIN, snapshot, 0).sentences())
        .anyMatch(sentence -> sentence.contains("Another process changed its file"));
  }

  @Test
  void diskThatAnotherQemuWritesToIsInUse() throws Exception {
    String disk = disk();
    OpenedImage opened = opened(disk);
    Qemu qemu = Qemu.holding(directory, opened.path(), "raw", true);
    try {
      refused(() -> client.openImage(MAIN, disk, new OpenRequest(false, "second"), null));
      refused(() -> Box.snapshot(client, MAIN, disk));
      refused(() -> client.resizeImage(MAIN, disk, 2 * SIZE, null));
      refused(() -> Copying.copy(client, OTHER, disk, ImageOptions.DEFAULT));
      refused(() -> client.beginUpload(MAIN, disk, BeginUploadRequest.RAW, null));
      assertThat(problems(disk))
          .singleElement()
          .satisfies(problem -> {
            assertThat(problem.kind()).isEqualTo(Problem.Kind.FOREIGN_WRITER);
            assertThat(problem.reason()).contains("writes to the file");
          });
      assertThat(Guest.look(client, MAIN, disk).path()).isEqualTo(opened.path());
    } finally {
      qemu.close();
    }
    assertThat(problems(disk)).isEmpty();
    assertThat(Box.snapshot(client, MAIN, disk).imageId()).isNotEmpty();
  }

  @Test
  void diskThatAnotherQemuReadsMayBeUsed() throws Exception {
    String disk = disk();
    try (var _ = Qemu.holding(directory, opened(disk).path(), "raw", false)) {
      assertThat(opened(disk).imageId()).isEqualTo(disk);
      assertThat(Box.snapshot(client, MAIN, disk).imageId()).isNotEmpty();
      assertThat(problems(disk)).isEmpty();
    }
  }

  /** 20.3: before, the fix was tried for ever, and nobody was told why. */
  @Test
  void fileThatLibvirtTookOverIsItsImagesProblemAndEndsInAFailure() throws Exception {
    String disk = disk();
    String base = opened(disk).path();
    Guest.use(client, MAIN, disk, "write -P 1 0 32M");
    String snapshot = Box.snapshot(client, MAIN, disk).imageId();
    Box.awaitOptimized(client, MAIN, disk);
    Guest.use(client, MAIN, disk, "write -P 2 1M 64k");
    Qemu.run(List.of("chown", Integer.toString(Qemu.USER), base));
    assertThat(problems(snapshot))
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
    Fixes.found(client, MAIN)
        .forEach(fix -> client.fixStorageRepository(MAIN, new FixRequest(fix), null));
    await().atMost(Box.PATIENCE).until(() -> opened(disk).path().equals(base));
  }

  /** 20.4: what a machine makes of its disk stays when the disk is closed. */
  @Test
  void growthByAMachineIsAdoptedWhenTheDiskIsClosed() throws Exception {
    String disk = disk();
    OpenedImage opened = client.openImage(MAIN, disk, new OpenRequest(false, "vm"), null);
    Qemu.run(
        List.of("qemu-img", "resize", "-q", "-f", "raw", opened.path(), Long.toString(2 * SIZE)));
    client.closeImage(MAIN, disk, opened.openId(), null);
    assertThat(client.getImage(MAIN, disk, 0).size()).isEqualTo(2 * SIZE);
    assertThat(opened(disk).size()).isEqualTo(2 * SIZE);
    assertThat(problems(disk)).isEmpty();
  }

  private static void refused(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            StorageException.class,
            refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.IMAGE_IN_USE))
        // An agent that is not root cannot see which one.
        .hasMessageContaining("a process on this host writes to its file");
  }
}
