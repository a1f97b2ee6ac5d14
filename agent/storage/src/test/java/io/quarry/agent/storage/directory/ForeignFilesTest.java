package io.quarry.agent.storage.directory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.data.os.OddFiles;
import io.quarry.agent.storage.Genesis;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.SlotStore.Put;
import io.quarry.coordinator.log.SlotStore.Reserve;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 12.22: a foreign file in a repository leads to no other file, and no call waits for it. */
final class ForeignFilesTest {
  private static final byte[] SECRET = "a secret".getBytes(UTF_8);
  private static final String RECORD = "0000000000000001.record";
  private static final long RECORD_BYTES_HUGE = 3L << 30;

  @TempDir private Path directory;
  private Path root;
  private Path outside;

  @BeforeEach
  void make() throws IOException {
    root = Files.createDirectory(directory.resolve("repository"));
    outside = Files.write(directory.resolve("outside"), SECRET);
  }

  @AfterEach
  void noOutsideFileWasTouched() {
    assertThat(outside).hasBinaryContent(SECRET);
    assertThat(directory.resolve("nothing")).doesNotExist();
  }

  private RepositoryStorage connect(boolean create) {
    return new LocalfsFormat().connect(Map.of("path", root.toString()), create, "host@life");
  }

  private void unusable() {
    StorageException refused =
        catchThrowableOfType(StorageException.class, () -> connect(true).close());
    assertThat(refused).isNotNull();
    assertThat(refused.code()).isEqualTo(ErrorCode.REPOSITORY_UNUSABLE);
  }

  @ParameterizedTest
  @EnumSource
  void genesisIsAFile(OddFiles odd) throws Exception {
    connect(true).close();
    Files.delete(root.resolve(Genesis.FILE));
    odd.make(root.resolve(Genesis.FILE), outside);
    unusable();
  }

  @Test
  void hugeGenesisIsNotRead() throws Exception {
    connect(true).close();
    stretch(root.resolve(Genesis.FILE));
    unusable();
  }

  @ParameterizedTest
  @ValueSource(strings = {"log", "fixes", "volumes", "tmp"})
  void directoryIsNoLink(String name) throws Exception {
    connect(true).close();
    Path elsewhere = directory.resolve("elsewhere");
    Files.move(root.resolve(name), elsewhere);
    Files.createSymbolicLink(root.resolve(name), elsewhere);
    unusable();
    assertThat(elsewhere.resolve("head")).doesNotExist();
  }

  @ParameterizedTest
  @EnumSource
  void recordIsAFile(OddFiles odd) throws Exception {
    try (RepositoryStorage storage = connect(true)) {
      odd.make(root.resolve("log").resolve(RECORD), outside);
      OddFiles.refused(() -> storage.slots().read(RECORD));
      OddFiles.refused(() -> storage.slots().readStart(RECORD, 10));
      OddFiles.refused(() -> storage.slots().open(RECORD));
      OddFiles.refused(() -> storage.slots().force(List.of(RECORD)));
      assertThat(storage.slots().putIfAbsent(RECORD, SECRET)).isEqualTo(Put.EXISTS);
    }
  }

  /** 12.21 */
  @Test
  void hugeRecordIsNotRead() throws Exception {
    try (RepositoryStorage storage = connect(true)) {
      storage.slots().putIfAbsent(RECORD, SECRET);
      stretch(root.resolve("log").resolve(RECORD));
      OddFiles.refused(() -> storage.slots().read(RECORD));
      assertThat(storage.slots().readStart(RECORD, SECRET.length)).isEqualTo(SECRET);
    }
  }

  private static void stretch(Path path) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(RECORD_BYTES_HUGE);
    }
  }

  @ParameterizedTest
  @EnumSource
  void headIsAFile(OddFiles odd) throws Exception {
    try (RepositoryStorage storage = connect(true)) {
      Files.deleteIfExists(root.resolve("log/head"));
      odd.make(root.resolve("log/head"), outside);
      OddFiles.refused(() -> storage.slots().writeHead(7));
      OddFiles.refused(() -> storage.slots().readHead());
    }
  }

  @ParameterizedTest
  @EnumSource
  void ballastIsAFile(OddFiles odd) throws Exception {
    try (RepositoryStorage storage = connect(true)) {
      odd.make(root.resolve("ballast"), outside);
      OddFiles.refused(() -> storage.slots().releaseBallast(Reserve.ALL));
      OddFiles.refused(() -> storage.slots().restoreBallast());
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DIRECTORY")
  void freedNameIsTheOnlyThingThatGoes(OddFiles odd) throws Exception {
    try (RepositoryStorage storage = connect(true)) {
      odd.make(root.resolve("log").resolve(RECORD), outside);
      storage.slots().delete(List.of(RECORD));
      assertThat(root.resolve("log").resolve(RECORD)).doesNotExist();
    }
  }

  /** 12.23 */
  @Test
  void noFileIsForOtherUsers() throws Exception {
    try (RepositoryStorage storage = connect(true)) {
      storage.slots().putIfAbsent(RECORD, SECRET);
      storage.slots().writeHead(1);
      storage.slots().restoreBallast();
    }
    for (String name : List.of("log", "fixes", "volumes", "tmp")) {
      assertThat(mode(name)).as(name).isEqualTo("rwxr-x---");
    }
    for (String name : List.of("log/" + RECORD, "log/head", "ballast")) {
      assertThat(mode(name)).as(name).isEqualTo("rw-r-----");
    }
    assertThat(mode(Genesis.FILE)).isEqualTo("rw-------");
  }

  private String mode(String name) throws IOException {
    return PosixFilePermissions.toString(
        Files.getPosixFilePermissions(root.resolve(name), LinkOption.NOFOLLOW_LINKS));
  }
}
