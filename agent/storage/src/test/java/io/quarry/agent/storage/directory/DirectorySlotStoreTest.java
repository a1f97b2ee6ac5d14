package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.agent.data.SmallStorage;
import io.quarry.agent.data.os.Folder;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.Contender;
import io.quarry.coordinator.log.FileLikeStoreContract;
import io.quarry.coordinator.log.Fingerprint;
import io.quarry.coordinator.log.LogDamagedException;
import io.quarry.coordinator.log.LogReader;
import io.quarry.coordinator.log.PutNotStartedException;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.log.SlotStore.Put;
import io.quarry.coordinator.log.SlotStore.Reserve;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectorySlotStoreTest extends FileLikeStoreContract {
  @TempDir Path root;
  private DirectorySlotStore store;

  @BeforeEach
  void open() throws IOException {
    Files.createDirectories(root.resolve("log"));
    Files.createDirectories(root.resolve("tmp"));
    store = new DirectorySlotStore(Folder.open(root), "a");
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  @Override
  protected SlotStore store() {
    return store;
  }

  @Test
  void noTemporaryFileStays() throws Exception {
    store.putIfAbsent("x", new byte[] {1});
    store.putIfAbsent("x", new byte[] {2});
    store.restoreBallast();
    try (Stream<Path> left = Files.list(root.resolve("tmp"))) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void headIsWrittenAsTheFormatSays() throws Exception {
    store.writeHead(4);
    assertThat(root.resolve("log/head")).hasContent("00000000000000000004 00000000000000000004\n");
  }

  @Test
  void tornHeadIsUnknown() throws Exception {
    store.writeHead(41);
    byte[] line = Files.readAllBytes(root.resolve("log/head"));
    line[19] = '9';
    Files.write(root.resolve("log/head"), line);
    assertThat(store.readHead()).isEmpty();
    Files.write(root.resolve("log/head"), new byte[0]);
    assertThat(store.readHead()).isEmpty();
    Files.write(root.resolve("log/head"), new byte[42]);
    assertThat(store.readHead()).isEmpty();
  }

  @Test
  void leftoversOfACrashBeforeTheLinkDoNotMatter() throws Exception {
    CommitLog.create(store);
    Contender sdm = Contender.leading(store, "a", 3);
    Files.write(root.resolve("tmp/b.1.0000000000000004.record"), new byte[] {1, 2, 3});
    Files.write(root.resolve("tmp/b.2.ballast"), new byte[100]);
    assertThat(Fingerprint.of(new LogReader(store).load())).isEqualTo(Fingerprint.of(sdm.state));
    sdm.commit("r1");
    assertThat(Fingerprint.of(new LogReader(store).load())).isEqualTo(Fingerprint.of(sdm.state));
  }

  @Test
  void interruptedThreadDoesNotSpoilTheStoreForOthers() throws Exception {
    Thread.currentThread().interrupt();
    store.force(List.of());
    assertThat(Thread.interrupted()).isTrue();
    assertThat(store.putIfAbsent("x", new byte[] {1})).isEqualTo(Put.CREATED);
    store.force(List.of("x"));
  }

  @Test
  void directoryWithoutRoomForANameIsAFullStorage(@TempDir Path mountPoint) throws Exception {
    try (SmallStorage small = SmallStorage.mounted(mountPoint, "size=1m,nr_inodes=5");
        DirectorySlotStore itsStore = new DirectorySlotStore(Folder.open(small.root()), "a")) {
      Files.createFile(small.root().resolve("one"));
      PutNotStartedException refused =
          catchThrowableOfType(
              PutNotStartedException.class, () -> itsStore.putIfAbsent("x", new byte[] {1}));
      assertThat(refused.noSpace()).isTrue();
      assertThat(itsStore.read("x")).isNull();
    }
  }

  @Test
  void ballastIsNotRestoredFromTheLastOfTheSpace(@TempDir Path mountPoint) throws Exception {
    try (SmallStorage small = SmallStorage.mounted(mountPoint, "size=12m");
        DirectorySlotStore itsStore = new DirectorySlotStore(Folder.open(small.root()), "a")) {
      assertThat(itsStore.restoreBallast()).isTrue();
      Path filler = small.fill();
      assertThat(itsStore.releaseBallast(Reserve.ALL)).isTrue();
      assertThat(itsStore.restoreBallast()).isFalse();
      assertThat(itsStore.putIfAbsent("x", new byte[] {1})).isEqualTo(Put.CREATED);
      Files.delete(filler);
      assertThat(itsStore.restoreBallast()).isTrue();
      assertThat(Files.size(small.root().resolve("ballast"))).isEqualTo(Ballast.BYTES);
    }
  }

  @Test
  void ballastLastsForMoreThanOneFullMoment(@TempDir Path mountPoint) throws Exception {
    try (SmallStorage small = SmallStorage.mounted(mountPoint, "size=12m");
        DirectorySlotStore itsStore = new DirectorySlotStore(Folder.open(small.root()), "a")) {
      itsStore.restoreBallast();
      for (int i = 0; i < 20; i++) {
        Files.deleteIfExists(small.root().resolve("filler" + (i - 1)));
        Files.move(small.fill(), small.root().resolve("filler" + i));
        assertThat(itsStore.releaseBallast(Reserve.ALL)).isTrue();
        assertThat(itsStore.putIfAbsent("x" + i, new byte[] {1})).isEqualTo(Put.CREATED);
      }
    }
  }

  @Test
  void ballastIsNothingThatCouldBeCompressedAway() throws Exception {
    store.restoreBallast();
    byte[] ballast = Files.readAllBytes(root.resolve("ballast"));
    Deflater deflater = new Deflater();
    deflater.setInput(ballast);
    deflater.finish();
    int compressed = deflater.deflate(new byte[2 * ballast.length]);
    deflater.end();
    assertThat(compressed).isGreaterThan(ballast.length / 2);
  }

  /** Case 12.21: a record of 3 GiB made the agent run out of memory. */
  @Test
  void recordThatNoAgentCanHaveWrittenIsNotReadIntoMemory() throws Exception {
    Path huge = root.resolve("log").resolve("huge");
    try (RandomAccessFile file = new RandomAccessFile(huge.toFile(), "rw")) {
      file.setLength(DirectorySlotStore.RECORD_BYTES_MAX + 1L);
    }
    LogDamagedException damage =
        catchThrowableOfType(LogDamagedException.class, () -> store.read("huge"));
    assertThat(damage.file()).isEqualTo(huge.toString());
    try (RandomAccessFile file = new RandomAccessFile(huge.toFile(), "rw")) {
      file.setLength(1 << 20);
    }
    assertThat(store.read("huge")).hasSize(1 << 20);
  }

  /** Case 12.21: the head is a hint, whatever file has its name. */
  @Test
  void headOfAnySizeIsOnlyAHint() throws Exception {
    try (RandomAccessFile file =
        new RandomAccessFile(root.resolve("log").resolve("head").toFile(), "rw")) {
      file.setLength(DirectorySlotStore.RECORD_BYTES_MAX + 1L);
    }
    assertThat(store.readHead()).isEmpty();
  }
}
