package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import io.quarry.agent.data.LoopFilesystem;
import io.quarry.agent.data.os.OddFiles;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.Claim;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.WorkStore;
import io.quarry.agent.storage.WorkStoreContract;
import io.quarry.coordinator.plan.FixState.Worker;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DirectoryWorkTest extends WorkStoreContract {
  private static final String FIX = "mend-v1";
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private RepositoryStorage storage;

  @SuppressWarnings("NullAway.Init")
  private WorkStore store;

  @BeforeEach
  void connect() {
    connect(directory);
  }

  private void connect(Path path) {
    storage = new LocalfsFormat().connect(Map.of("path", path.toString()), true, "test");
    store = storage.work();
  }

  @Override
  protected WorkStore store() {
    return store;
  }

  @AfterEach
  void disconnect() {
    storage.close();
  }

  // 12.22
  @ParameterizedTest
  @EnumSource
  void claimsAndCheckpointsAreFiles(OddFiles odd) throws Exception {
    Path outside = Files.write(directory.resolve("volumes/outside"), new byte[] {1});
    Path folder = Files.createDirectory(directory.resolve("fixes").resolve(FIX));
    odd.make(folder.resolve("claim.1"), outside);
    odd.make(folder.resolve("progress.1"), outside);
    OddFiles.refused(() -> store.newestClaim(FIX));
    OddFiles.refused(() -> store.newestCheckpoint(FIX));
    assertThat(store.claim(FIX, 1, new Worker("h", "life"), NOW)).isEmpty();
    if (odd != OddFiles.DIRECTORY) {
      store.save(FIX, Checkpoint.filling(new Worker("h", "life"), 1, 1, "v1.1.raw", 9, NOW));
      store.forget(FIX);
      assertThat(folder).doesNotExist();
    }
    assertThat(outside).hasBinaryContent(new byte[] {1});
    assertThat(directory.resolve("tmp")).isEmptyDirectory();
  }

  // 12.22: the file behind the link was deleted.
  @Test
  void forgetDeletesNoFileBehindALink(@TempDir Path elsewhere) throws Exception {
    Path inside = Files.createFile(elsewhere.resolve("claim.1"));
    Files.createSymbolicLink(directory.resolve("fixes").resolve(FIX), elsewhere);
    store.forget(FIX);
    OddFiles.refused(() -> store.newestClaim(FIX));
    OddFiles.refused(() -> store.claim(FIX, 2, new Worker("h", "life"), NOW));
    assertThat(elsewhere).isDirectoryContaining(inside::equals);
    assertThat(elsewhere.resolve("claim.2")).doesNotExist();
  }

  @Test
  void fileThatNfsKeepsForAnotherHostIsLeftForTheNextTime() throws Exception {
    assertThat(store.claim(FIX, 1, new Worker("h", "life"), NOW)).isPresent();
    Path kept = directory.resolve("fixes").resolve(FIX).resolve(".nfs000000000000001");
    Files.createFile(kept);
    store.forget(FIX);
    assertThat(store.newestClaim(FIX)).isNull();
    Files.delete(kept);
    store.forget(FIX);
    assertThat(directory.resolve("fixes")).isEmptyDirectory();
  }

  // 12.21
  @Test
  void hugeCheckpointIsNotRead() throws Exception {
    assertThat(store.claim(FIX, 1, new Worker("h", "life"), NOW)).isPresent();
    Path huge = directory.resolve("fixes").resolve(FIX).resolve("progress.1");
    try (RandomAccessFile file = new RandomAccessFile(huge.toFile(), "rw")) {
      file.setLength(3L << 30);
    }
    OddFiles.refused(() -> store.newestCheckpoint(FIX));
  }

  @Test
  void savedCheckpointOutlivesAPowerCut() throws Exception {
    disconnect();
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(directory)) {
      connect(xfs.path());
      Worker worker = new Worker("h", "life");
      try {
        for (long epoch = 1; epoch <= 3; epoch++) {
          Claim claim = store.claim(FIX, epoch, worker, NOW).orElseThrow();
          Checkpoint saved = Checkpoint.filling(worker, epoch, 2, "v1." + epoch + ".raw", 100, NOW);
          store.save(FIX, saved);
          saved = saved.at(epoch, epoch, NOW);
          store.save(FIX, saved);
          xfs.cutPower();
          storage.close();
          xfs.restorePower();
          connect(xfs.path());
          assertThat(store.newestClaim(FIX)).isEqualTo(claim);
          assertThat(store.newestCheckpoint(FIX)).isEqualTo(saved);
        }
      } finally {
        storage.close();
      }
    }
  }

  /** All fields, and the fewest. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        """
        {"hostId":"h","incarnation":"life","epoch":3,"stage":2,"stages":4,"stageName":"convert",\
        "file":"v1.3.raw","source":"v1.3.upload","offset":5,"bytesTotal":6,"bytesMoved":7,\
        "released":true,"lastError":"failed","updatedAt":"2026-01-01T00:00:00Z"}\
        """,
        """
        {"hostId":"h","incarnation":"life","epoch":3,"stage":1,"stages":1,"stageName":"starting",\
        "offset":0,"bytesTotal":0,"bytesMoved":0,"released":false,\
        "updatedAt":"2026-01-01T00:00:00Z"}\
        """
      })
  void checkpointIsWrittenAsItWasRead(String json) throws Exception {
    Path file =
        Files.createDirectory(directory.resolve("fixes").resolve(FIX)).resolve("progress.3");
    Files.writeString(file, json);
    store.save(FIX, Objects.requireNonNull(store.newestCheckpoint(FIX)));
    assertThat(file).hasContent(json);
    Files.writeString(file, json.replace("{", "{\"worker\":{},"));
    assertThatThrownBy(() -> store.newestCheckpoint(FIX))
        .isInstanceOf(UnrecognizedPropertyException.class);
  }
}
