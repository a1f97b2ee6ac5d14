package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.LoopFilesystem;
import io.quarry.agent.data.os.AsUser;
import io.quarry.agent.data.os.FileFailure;
import io.quarry.agent.data.os.Folder;
import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.storage.RepositoryFormat;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.VolumeStore;
import io.quarry.agent.storage.VolumeStoreContract;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * 20.1 and 20.3: an agent without root rights freezes and thaws its own files, and names files of
 * other users.
 */
final class DirectoryVolumesTest extends VolumeStoreContract {
  private static final String FILE = "v.1.raw";
  private static final int GROUP = 12_346;

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private DirectoryVolumes store;

  @BeforeEach
  void open() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    store = new DirectoryVolumes(Folder.open(directory), DirectoryVolumes.Protection.USUAL);
  }

  @Override
  protected VolumeStore store() {
    return store;
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void frozenFileIsThawedBeforeItIsWrittenTo() throws Exception {
    AsUser.run(() -> {
      store.create(FILE, 0).close();
      store.freeze(FILE);
      assertThatThrownBy(() -> store.folder().openWrite(FILE))
          .isInstanceOf(FileFailure.Forbidden.class);
      try (NativeFile file = store.openWrite(FILE)) {
        file.write(0, new byte[] {1});
      }
    });
  }

  @Test
  void fileOfAnotherUserIsNamedWithItsOwnerAndMode() throws Exception {
    try (NativeFile file = store.create(FILE, 0)) {
      file.setMode(0600);
    }
    AsUser.run(() ->
        assertThatThrownBy(() -> store.openRead(FILE))
            .isInstanceOf(FileFailure.Forbidden.class)
            .hasMessageContaining("belongs to user 0 and group 0, mode 0600"));
    try (NativeFile file = store.folder().openRead(FILE)) {
      file.setMode(0644);
    }
    AsUser.run(() ->
        assertThatThrownBy(() -> store.freeze(FILE))
            .isInstanceOf(FileFailure.Forbidden.class)
            .hasMessageContaining("chmod: Operation not permitted: the file belongs to user 0"));
  }

  /** Any user may see a file's size, and one such file must not hide the size of the others. */
  @Test
  void spaceOfAFileOfAnotherUserIsKnown() throws Exception {
    try (NativeFile file = store.create(FILE, 0)) {
      file.write(0, new byte[8192]);
      file.sync();
      file.setMode(0600);
    }
    long allocated = store.allocated(FILE);
    assertThat(allocated).isPositive();
    AsUser.run(() -> assertThat(store.allocated(FILE)).isEqualTo(allocated));
  }

  @Test
  void folderThatIsForbiddenIsNoFilesProblem() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    AsUser.run(() ->
        assertThatThrownBy(() -> store.openRead(FILE))
            .isInstanceOf(FileFailure.class)
            .isNotInstanceOf(FileFailure.Forbidden.class));
  }

  @Test
  void volumesAreOfTheGroupOfTheRepository() throws Exception {
    Path root = Files.createDirectory(directory.resolve("repository"));
    AsUser.run(() -> {}); // Only root may give files away.
    try (RepositoryStorage storage =
        new LocalfsFormat()
            .connect(
                Map.of("path", root.toString(), "group", Integer.toString(GROUP)),
                true,
                "host@life")) {
      storage.volumes().create(FILE, 0).close();
      for (Path each : new Path[] {root.resolve("volumes"), storage.volumes().path(FILE)}) {
        assertThat(Files.getAttribute(each, "unix:gid")).isEqualTo(GROUP);
      }
      assertThat(Files.getAttribute(root.resolve("log"), "unix:gid")).isNotEqualTo(GROUP);
    }
  }

  @Test
  void groupOfOthersIsRefusedWhenTheRepositoryIsConnected() throws Exception {
    Path root = Files.createDirectory(directory.resolve("repository"));
    AsUser.run(() -> {}); // Only root may give files away.
    Files.setAttribute(root, "unix:uid", AsUser.USER);
    new LocalfsFormat().connect(Map.of("path", root.toString()), true, "host@life").close();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path each : files.toList()) {
        Files.setAttribute(each, "unix:uid", AsUser.USER);
      }
    }
    Files.setAttribute(root.resolve("volumes"), "unix:gid", GROUP);
    AsUser.run(() ->
        assertThatThrownBy(() ->
                new LocalfsFormat()
                    .connect(
                        Map.of("path", root.toString(), "group", Integer.toString(GROUP)),
                        false,
                        "host@life"))
            .isInstanceOf(StorageException.class)
            .hasMessageContaining("a file in " + root.resolve("tmp"))
            .hasMessageContaining("cannot be given to group " + GROUP));
  }

  @Test
  void groupMayHaveANameAndHasToBeThere() {
    RepositoryFormat format = new LocalfsFormat();
    format.checkParameters(Map.of("path", "/srv/quarry", "group", "daemon"));
    assertThatThrownBy(
            () -> format.checkParameters(Map.of("path", "/srv/quarry", "group", "no-such-group")))
        .isInstanceOfSatisfying(
            StorageException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT))
        .hasMessageContaining("no group no-such-group");
  }

  /** 20: 0440 does not stop root; the attribute does. */
  @Test
  void immutableFilesAreFrozenForRootToo() throws Exception {
    try (LoopFilesystem ext4 = LoopFilesystem.mountExt4(directory, 64 << 20);
        DirectoryStorage storage =
            new LocalfsFormat()
                .connect(
                    Map.of("path", ext4.path().toString(), "immutable", "true"),
                    true,
                    "host@life")) {
      DirectoryVolumes volumes = storage.volumes();
      assertThat(storage.traits().frozenFiles()).isEqualTo("immutable");
      try (NativeFile file = volumes.create(FILE, 0)) {
        volumes.freeze(FILE);
        assertThatThrownBy(() -> file.write(0, new byte[] {1})).isInstanceOf(FileFailure.class);
      }
      assertThatThrownBy(() -> volumes.folder().openWrite(FILE)).isInstanceOf(FileFailure.class);
      assertThatThrownBy(() -> volumes.folder().remove(FILE)).isInstanceOf(FileFailure.class);
      try (NativeFile file = volumes.openWrite(FILE)) {
        file.write(0, new byte[] {1});
      }
      volumes.freeze(FILE);
      assertThat(volumes.remove(FILE)).isTrue();
    }
  }

  /** A host without the capability, beside a host whose connection has the parameter. */
  @Test
  void agentThatCannotThawAnImmutableFileKnows() throws Exception {
    try (LoopFilesystem ext4 = LoopFilesystem.mountExt4(directory, 64 << 20);
        RepositoryStorage other =
            new LocalfsFormat()
                .connect(
                    Map.of("path", ext4.path().toString(), "immutable", "true"),
                    true,
                    "other@life")) {
      other.volumes().create(FILE, 0).close();
      other.volumes().create("w.1.raw", 0).close();
      other.volumes().freeze(FILE);
      assertThat(other.volumes().mayThaw(FILE)).isTrue();
      try (Folder volumes = Folder.open(ext4.path().resolve("volumes"))) {
        var without = new DirectoryVolumes.Protection(VolumeOptions.ANY, true, false, false);
        DirectoryVolumes unable = new DirectoryVolumes(volumes, without);
        assertThat(unable.mayThaw(FILE)).isFalse();
        assertThat(unable.mayThaw("w.1.raw")).isTrue();
      }
      other.volumes().remove(FILE);
    }
  }

  @Test
  void storageThatKeepsNoModesSaysSo() throws Exception {
    Path behind = Files.createDirectory(directory.resolve("behind"));
    Path mount = Files.createDirectory(directory.resolve("mount"));
    run("bindfs", "--chmod-ignore", "--create-with-perms=0777", behind + "", mount + "");
    try (RepositoryStorage storage =
        new LocalfsFormat().connect(Map.of("path", mount.toString()), true, "host@life")) {
      assertThat(storage.traits().frozenFiles()).isEqualTo("unprotected");
    } finally {
      run("umount", "-l", mount.toString());
    }
  }

  private static void run(String... words) throws Exception {
    Process process = new ProcessBuilder(words).inheritIO().start();
    assertThat(process.waitFor()).isZero();
  }
}
