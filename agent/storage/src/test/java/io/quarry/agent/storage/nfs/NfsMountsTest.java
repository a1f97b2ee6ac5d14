package io.quarry.agent.storage.nfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.MountTable;
import io.quarry.agent.data.os.Mounting;
import io.quarry.agent.data.process.Spawner;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Mounts on a kernel without an NFS client, so that each mount of an export fails. */
@Timeout(120)
final class NfsMountsTest {
  private static final NfsExport EXPORT = NfsExport.of("127.0.0.1", "/srv/quarry", "");

  /** Far longer than a child takes on a busy machine. */
  private static final Duration LONG = Duration.ofMinutes(1);

  @TempDir private Path directory;
  private Path mountPoints;
  private Path point;

  @BeforeEach
  void place() {
    mountPoints = directory.resolve("mnt");
    point = mountPoints.resolve(EXPORT.mountPoint());
  }

  private static void withoutNfsClient() throws IOException {
    assumeTrue("root".equals(System.getProperty("user.name")), "mounting needs root");
    assumeFalse(
        Files.readString(Path.of("/proc/filesystems")).contains("\tnfs\n"),
        "this kernel has an NFS client");
  }

  private StorageException refusal(Duration deadline, NfsExport export) {
    NfsMounts mounts = new NfsMounts(mountPoints, "a-host", new Spawner(), deadline);
    return catchThrowableOfType(StorageException.class, () -> mounts.mount(export));
  }

  private void assertNothingIsLeft() throws IOException {
    assertThat(MountTable.read().at(point)).isEmpty();
    assertThat(point).doesNotExist();
  }

  @Test
  void kernelWithoutAnNfsClientIsNamed() throws Exception {
    withoutNfsClient();
    StorageException refusal = refusal(LONG, EXPORT);
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNUSABLE);
    assertThat(refusal.subject()).isEqualTo("127.0.0.1:/srv/quarry");
    assertThat(refusal).hasMessageContaining("no NFS client");
    assertThat(refusal.remedy()).contains("modprobe nfsv4");
    assertNothingIsLeft();
  }

  @Test
  void nameWithoutAnAddressIsNamed() throws Exception {
    StorageException refusal = refusal(LONG, NfsExport.of("nas.invalid", "/e", ""));
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNRESPONSIVE);
    assertThat(refusal).hasMessageContaining("nas.invalid has no address");
    assertThat(mountPoints).isEmptyDirectory();
  }

  @Test
  void serverThatMissesTheDeadlineLeavesNothing() throws Exception {
    StorageException refusal = refusal(Duration.ZERO, EXPORT);
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNRESPONSIVE);
    assertThat(refusal).hasMessageContaining("did not answer within");
    assertThat(ProcessHandle.current().descendants()).isEmpty();
    assertNothingIsLeft();
  }

  @Test
  void otherMountAtThePointIsReplacedOnceItIsUnused() throws Exception {
    withoutNfsClient();
    Files.createDirectories(point);
    Mounting.mount("other:/export", point, "tmpfs", "size=1m");
    try {
      try (Folder inUse = Folder.open(point)) {
        StorageException refusal = refusal(LONG, EXPORT);
        assertThat(refusal)
            .hasMessageContaining("other:/export is mounted at " + inUse.path())
            .hasMessageContaining("busy");
        assertThat(refusal.remedy()).contains("umount " + point);
      }
      assertThat(refusal(LONG, EXPORT)).hasMessageContaining("no NFS client");
      assertNothingIsLeft();
    } finally {
      if (MountTable.read().at(point).isPresent()) {
        Mounting.unmount(point, true);
      }
    }
  }

  @Test
  void mountOfTheSameNameIsCheckedLikeAnyOther() throws Exception {
    withoutNfsClient();
    Files.createDirectories(point);
    Mounting.mount(EXPORT.source(), point, "tmpfs", "size=1m");
    try {
      assertThat(refusal(LONG, EXPORT)).hasMessageContaining("type tmpfs, not on NFS");
    } finally {
      Mounting.unmount(point, true);
    }
  }

  /** The kernel lists mount points without links. */
  @Test
  void mountBehindALinkIsFound() throws Exception {
    withoutNfsClient();
    Files.createDirectories(point);
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory);
    Mounting.mount(EXPORT.source(), point, "tmpfs", "size=1m");
    try {
      for (Path each : new Path[] {link.resolve("mnt"), directory.resolve("mnt/../mnt")}) {
        mountPoints = each;
        assertThat(refusal(LONG, EXPORT)).hasMessageContaining("type tmpfs, not on NFS");
      }
    } finally {
      Mounting.unmount(point, true);
    }
    assertThat(MountTable.read().at(point)).isEmpty();
  }

  @Test
  void mountPointsThatEarlierAgentsLeftAreRemoved() throws Exception {
    withoutNfsClient();
    Path empty = Files.createDirectories(mountPoints.resolve("0123456789abcdef"));
    Path full = Files.createDirectories(mountPoints.resolve("full"));
    Path file = Files.createFile(full.resolve("file"));
    Path mounted = Files.createDirectories(mountPoints.resolve("mounted"));
    Mounting.mount("other:/export", mounted, "tmpfs", "size=1m");
    try {
      assertThat(refusal(LONG, EXPORT)).hasMessageContaining("no NFS client");
      assertThat(empty).doesNotExist();
      assertThat(file).exists();
      assertThat(MountTable.read().at(mounted)).isPresent();
    } finally {
      Mounting.unmount(mounted, true);
    }
  }

  /** The kernel asks for the capability first, and for the type of the filesystem then. */
  @ParameterizedTest
  @CsvSource({"'-all,+sys_admin',errno 19", "-all,errno 1"})
  void oneCapabilityIsEnoughToMount(String capabilities, String answer) throws Exception {
    withoutNfsClient();
    Process child =
        new ProcessBuilder(
                "setpriv",
                "--bounding-set=" + capabilities,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                MountMain.class.getName(),
                Long.toString(LONG.toMillis()),
                MountMain.MOUNT,
                "127.0.0.1",
                EXPORT.source(),
                directory.toString(),
                "vers=4.2",
                "a-host")
            .redirectError(directory.resolve("errors").toFile())
            .start();
    String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(output.strip()).isEqualTo(answer);
  }

  @Test
  void pathThatIsNotOnNfsIsRefused() {
    NfsFormat format = new NfsFormat(mountPoints, "a-host", new Spawner());
    StorageException refusal =
        catchThrowableOfType(
            StorageException.class,
            () -> format.connect(Map.of("path", directory.toString()), true, "test"));
    assertThat(refusal.code()).isEqualTo(ErrorCode.REPOSITORY_UNUSABLE);
    assertThat(refusal).hasMessageContaining("not on NFS");
    assertThat(directory).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          (null) | a-host
          '' | a-host
          b-host | b-host
          """)
  void identityAtServersIsSetOnceAlone(String before, String after) throws Exception {
    Path file = Files.writeString(directory.resolve("identifier"), before + "\n");
    NfsClientId.ensure(file, "a-host");
    assertThat(file).content().isEqualToIgnoringNewLines(after);
  }
}
