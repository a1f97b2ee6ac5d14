package io.quarry.agent.data.os;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.data.LoopFilesystem;
import io.quarry.agent.data.SmallStorage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FolderTest {
  private static final long GIB = 1L << 30;
  private static final byte[] SECRET = {4, 7, 1, 1};

  @TempDir private Path directory;
  private Path place;
  private Path outside;
  private Folder folder;

  @BeforeEach
  void open() throws IOException {
    place = Files.createDirectory(directory.resolve("folder"));
    outside = Files.write(directory.resolve("outside"), SECRET);
    folder = Folder.open(place);
  }

  @AfterEach
  void close() throws IOException {
    folder.close();
    assertThat(outside).hasBinaryContent(SECRET);
  }

  private void put(String name, byte[] content) throws IOException {
    try (NativeFile file = folder.createNew(name, FileModes.METADATA)) {
      file.write(0, content);
    }
  }

  // 12.22
  @ParameterizedTest
  @EnumSource
  void entryThatIsNoRegularFileIsNotOpened(OddFiles odd) throws Exception {
    odd.make(place.resolve("x"), outside);
    OddFiles.refused(() -> folder.openRead("x"));
    OddFiles.refused(() -> folder.openWrite("x"));
    OddFiles.refused(() -> folder.read("x", 100));
    OddFiles.refused(() -> folder.readStart("x", 100));
    assertThatThrownBy(() -> folder.createNew("x", FileModes.VOLUME))
        .isInstanceOf(FileFailure.Exists.class);
    assertThat(folder.allocated("x")).isZero();
    assertThat(directory.resolve("nothing")).doesNotExist();
  }

  // 12.22
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECTORY")
  void removalFreesTheNameItself(OddFiles odd) throws Exception {
    odd.make(place.resolve("x"), outside);
    assertThat(folder.status("x").kind()).isNotEqualTo(FileStatus.Kind.FILE);
    assertThat(folder.remove("x")).isTrue();
    assertThat(folder.remove("x")).isFalse();
    assertThat(folder.names()).isEmpty();
  }

  // 12.22
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECTORY")
  void folderIsADirectoryOfThisOne(OddFiles odd) throws Exception {
    odd.make(place.resolve("x"), outside);
    OddFiles.refused(() -> folder.folder("x"));
    Files.createSymbolicLink(place.resolve("up"), directory);
    OddFiles.refused(() -> folder.folder("up"));
    assertThat(folder.createFolder("up")).isFalse();
  }

  // 12.22 and 12.23
  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "../outside", "/proc/version", "a/b", "a\0b", "ä", "a b"})
  void nameIsNeverAPath(String name) {
    OddFiles.refused(() -> folder.openRead(name));
    OddFiles.refused(() -> folder.openWrite(name));
    OddFiles.refused(() -> folder.createNew(name, FileModes.VOLUME));
    OddFiles.refused(() -> folder.createFolder(name));
    OddFiles.refused(() -> folder.folder(name));
    OddFiles.refused(() -> folder.link("x", folder, name));
    OddFiles.refused(() -> folder.rename(name, folder, "x"));
  }

  // 12.23
  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "../outside", "/proc/version", "a/b"})
  void nothingElsewhereIsRemovedOrLookedAt(String name) {
    OddFiles.refused(() -> folder.remove(name));
    OddFiles.refused(() -> folder.status(name));
  }

  // 12.21
  @Test
  void longFileIsRefusedAndNotRead() throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(place.resolve("long").toFile(), "rw")) {
      file.setLength(3 * GIB);
    }
    OddFiles.refused(() -> folder.read("long", 64 << 20));
    assertThat(folder.readStart("long", 3)).isEqualTo(new byte[3]);
  }

  @Test
  void readGivesAllAndTheStartOfIt() throws Exception {
    put("x", SECRET);
    assertThat(folder.read("x", SECRET.length)).isEqualTo(SECRET);
    assertThat(folder.readStart("x", 2)).isEqualTo(new byte[] {4, 7});
    assertThat(folder.readStart("x", 99)).isEqualTo(SECRET);
    assertThat(folder.read("y", 1)).isNull();
    try (var in = folder.openRead("x").input()) {
      assertThat(in.readAllBytes()).isEqualTo(SECRET);
    }
  }

  @Test
  void listingNamesAllAndForeignOnesToo() throws Exception {
    List<String> names = new ArrayList<>(List.of("with space", ".nfs0001", "lost+found"));
    for (int i = 0; i < 3_000; i++) {
      names.add("a-file-with-a-rather-long-name." + i);
    }
    for (String name : names) {
      Files.createFile(place.resolve(name));
    }
    assertThat(folder.names()).containsExactlyInAnyOrderElementsOf(names);
    assertThat(folder.status("with space").size()).isZero();
    assertThat(folder.remove("with space")).isTrue();
  }

  @Test
  void linkTakesAFreeNameAndRenameAnyOne() throws Exception {
    put("x", SECRET);
    put("y", new byte[] {1});
    assertThat(folder.createFolder("sub")).isTrue();
    assertThat(folder.createFolder("sub")).isFalse();
    try (Folder sub = folder.folder("sub")) {
      sub.link("x", folder, "x");
      assertThatThrownBy(() -> sub.link("x", folder, "y")).isInstanceOf(FileFailure.Exists.class);
      assertThat(sub.read("x", 10)).isEqualTo(SECRET);
      assertThat(sub.status("x").links()).isEqualTo(2);
      sub.rename("x", folder, "y");
      assertThat(sub.read("x", 10)).isEqualTo(new byte[] {1});
      sub.force();
      FileFailure failure =
          catchThrowableOfType(FileFailure.class, () -> folder.removeFolder("sub"));
      assertThat(failure.kind()).isEqualTo(FileFailure.Kind.NOT_EMPTY);
      sub.remove("x");
    }
    assertThat(folder.removeFolder("sub")).isTrue();
    assertThat(folder.removeFolder("sub")).isFalse();
    assertThat(folder.names()).containsExactly("x");
  }

  // 12.23
  @Test
  void modesAreWhatTheyAreToBeWhateverTheUmaskIs() throws Exception {
    for (int umask : new int[] {0, 0022, 0077}) {
      int before = Libc.umask(umask);
      try {
        folder.createNew("volume", FileModes.VOLUME).close();
        folder.createNew("record", FileModes.METADATA).close();
        folder.createNew("secret", FileModes.SECRET).close();
        folder.createFolder("directory");
      } finally {
        Libc.umask(before);
      }
      assertThat(mode("volume")).isEqualTo("rw-rw----");
      assertThat(mode("record")).isEqualTo("rw-r-----");
      assertThat(mode("secret")).isEqualTo("rw-------");
      assertThat(mode("directory")).isEqualTo("rwxr-x---");
      for (String name : List.of("volume", "record", "secret")) {
        assertThat(folder.remove(name)).isTrue();
      }
      folder.removeFolder("directory");
    }
  }

  private String mode(String name) throws IOException {
    return PosixFilePermissions.toString(
        Files.getPosixFilePermissions(place.resolve(name), LinkOption.NOFOLLOW_LINKS));
  }

  @Test
  void openFileTellsWhatItIs() throws Exception {
    put("x", SECRET);
    try (NativeFile file = folder.openWrite("x")) {
      file.setMode(0440);
      file.sync();
      FileStatus status = file.status();
      assertThat(status.kind()).isEqualTo(FileStatus.Kind.FILE);
      assertThat(status.mode()).isEqualTo(0440);
      assertThat(status.size()).isEqualTo(SECRET.length);
      assertThat(status.links()).isEqualTo(1);
      assertThat(status.modified())
          .isEqualTo(Files.getLastModifiedTime(place.resolve("x")).toInstant());
      assertThat(status).isEqualTo(folder.status("x"));
    }
    Filesystem filesystem = folder.filesystem();
    assertThat(filesystem.capacity()).isEqualTo(Files.getFileStore(place).getTotalSpace());
    assertThat(filesystem.nfs()).isFalse();
  }

  @Test
  void interruptEndsNothing() throws Exception {
    Thread.currentThread().interrupt();
    put("x", SECRET);
    folder.force();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(folder.read("x", 10)).isEqualTo(SECRET);
  }

  private static FileFailure.Kind kindOf(NativeFile file, long size) {
    FileFailure failure =
        catchThrowableOfType(
            FileFailure.class,
            () -> {
              for (long at = 0; at < size; at += 1 << 20) {
                file.write(at, new byte[1 << 20]);
              }
              file.sync();
            });
    return failure.kind();
  }

  // 12.7 and 12.19
  @Test
  void fullStorageIsKnownByItsErrno(@TempDir Path mountPoint) throws Exception {
    try (SmallStorage small = SmallStorage.mounted(mountPoint, "size=2m");
        Folder full = Folder.open(small.root());
        NativeFile file = full.createNew("x", FileModes.VOLUME)) {
      assertThat(kindOf(file, 16 << 20)).isEqualTo(FileFailure.Kind.NO_SPACE);
    }
  }

  // 12.7
  @Test
  void readOnlyStorageIsKnownByItsErrno(@TempDir Path mountPoint) throws Exception {
    try (SmallStorage small = SmallStorage.mounted(mountPoint, "size=2m");
        Folder readOnly = Folder.open(small.root())) {
      small.makeReadOnly();
      FileFailure failure =
          catchThrowableOfType(FileFailure.class, () -> readOnly.createNew("x", FileModes.VOLUME));
      assertThat(failure.kind()).isEqualTo(FileFailure.Kind.READ_ONLY);
    }
  }

  // 12.7 and 12.19
  @Test
  void exceededQuotaIsNoSpace() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(directory, "uquota")) {
      xfs.limitUser(12_345, "1m");
      try (Folder limited = Folder.open(xfs.path());
          NativeFile file = limited.createNew("x", FileModes.VOLUME)) {
        file.setOwner(12_345, 12_345);
        assertThat(file.status().uid()).isEqualTo(12_345);
        assertThat(kindOf(file, 16 << 20)).isEqualTo(FileFailure.Kind.NO_SPACE);
      }
    }
  }

  // 12.7
  @ParameterizedTest
  @CsvSource({
    "1, FORBIDDEN, Operation not permitted",
    "2, NOT_FOUND, No such file or directory",
    "5, INPUT_OUTPUT, Input/output error",
    "13, FORBIDDEN, Permission denied",
    "17, EXISTS, File exists",
    "23, TOO_MANY_OPEN, Too many open files on this host",
    "24, TOO_MANY_OPEN, Too many open files in this process",
    "27, TOO_LARGE, File too large for this filesystem",
    "28, NO_SPACE, No space left on device",
    "30, READ_ONLY, Read-only file system",
    "40, REFUSED, It is a symbolic link",
    "116, NOT_FOUND, Stale file handle",
    "122, NO_SPACE, Disk quota exceeded",
    "84, OTHER, errno 84"
  })
  void eachFailureSaysWhatItIs(int errno, FileFailure.Kind kind, String text) {
    FileFailure failure = FileFailure.of(errno, place, "open");
    assertThat(failure.kind()).isEqualTo(kind);
    assertThat(failure).hasMessage(place + ": open: " + text);
    assertThat(FileFailure.kindOf(new IOException("around it", failure))).isEqualTo(failure.kind());
  }
}
