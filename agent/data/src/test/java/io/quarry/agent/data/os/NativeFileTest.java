package io.quarry.agent.data.os;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.DiskImages;
import io.quarry.agent.data.LoopFilesystem;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NativeFileTest {
  private static final int MIB = 1 << 20;

  @TempDir Path dir;

  @Test
  void opensAndCreatesAsItsNamesSay() throws Exception {
    Path path = dir.resolve("file");
    assertThatThrownBy(() -> NativeFile.openRead(path)).isInstanceOf(FileFailure.NotFound.class);
    NativeFile.createNew(path).close();
    assertThatThrownBy(() -> NativeFile.createNew(path)).isInstanceOf(FileFailure.Exists.class);
    assertThatThrownBy(() -> NativeFile.openWrite(dir)).hasMessageContaining("directory");
  }

  @Test
  void readsWrittenBytes() throws Exception {
    try (NativeFile file = NativeFile.createNew(dir.resolve("file"));
        Arena arena = Arena.ofConfined()) {
      file.write(3 * MIB + 5, arena.allocate(1000).fill((byte) 9));
      file.dataSync();
      assertThat(file.size()).isEqualTo(3 * MIB + 1005);
      MemorySegment back = arena.allocate(1005);
      file.read(3 * MIB, back);
      assertThat(back.get(JAVA_BYTE, 4)).isZero();
      assertThat(back.get(JAVA_BYTE, 5)).isEqualTo((byte) 9);
      assertThatThrownBy(() -> file.read(3 * MIB + 1, back)).isInstanceOf(EOFException.class);
    }
  }

  @Test
  void findsDataAndHoles() throws Exception {
    Path path = DiskImages.hole(dir.resolve("file"), 10 * MIB + 1);
    DiskImages.fill(path, 4 * MIB, 2 * MIB, 1);
    try (NativeFile file = NativeFile.openWrite(path)) {
      assertThat(file.nextData(0)).contains(4L * MIB);
      assertThat(file.nextHole(4 * MIB)).isEqualTo(6 * MIB);
      assertThat(file.nextHole(0)).isZero();
      assertThat(file.punchHole(4 * MIB, MIB)).isEqualTo(Outcome.DONE);
      assertThat(file.nextData(0)).contains(5L * MIB);
      file.truncate(6 * MIB);
      assertThat(file.nextData(6 * MIB)).isEmpty();
    }
  }

  @Test
  void serviceThatTheFilesystemLacksIsAnAnswer() throws Exception {
    Path path = DiskImages.random(dir.resolve("from"), MIB, 1);
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(dir);
        NativeFile from = NativeFile.openRead(path);
        NativeFile to = NativeFile.createNew(xfs.path().resolve("to"))) {
      assertThat(to.cloneWhole(from)).isEqualTo(Outcome.NOT_SUPPORTED);
      assertThat(to.cloneRange(from, 0, MIB, 0)).isEqualTo(Outcome.NOT_SUPPORTED);
    }
  }

  @Test
  void sharesBlocksOnXfs() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(dir)) {
      Path path = DiskImages.random(xfs.path().resolve("from"), MIB, 1);
      try (NativeFile from = NativeFile.openRead(path);
          NativeFile whole = NativeFile.createNew(xfs.path().resolve("whole"));
          NativeFile part = NativeFile.createNew(xfs.path().resolve("part"))) {
        assertThat(whole.cloneWhole(from)).isEqualTo(Outcome.DONE);
        assertThat(DiskImages.same(path, whole.path())).isTrue();
        assertThat(part.cloneRange(from, 4096, 8192, 65_536)).isEqualTo(Outcome.DONE);
        assertThat(part.size()).isEqualTo(65_536 + 8192);
        assertThat(part.cloneRange(from, 5, 8192, 0)).isEqualTo(Outcome.NOT_SUPPORTED);
      }
    }
  }

  @Test
  void copiesRangesInTheKernel() throws Exception {
    Path path = DiskImages.random(dir.resolve("from"), 3 * MIB, 1);
    try (NativeFile from = NativeFile.openRead(path);
        NativeFile to = NativeFile.createNew(dir.resolve("to"))) {
      assertThat(to.copyRange(from, 0, 3 * MIB, 0)).isEqualTo(Outcome.DONE);
      assertThat(to.startWriteback(0, 3 * MIB)).isEqualTo(Outcome.DONE);
      assertThat(DiskImages.same(path, to.path())).isTrue();
      assertThatThrownBy(() -> to.copyRange(from, MIB, 3 * MIB, 0))
          .isInstanceOf(EOFException.class);
    }
  }

  @Test
  void directAndCachedSeeTheSame() throws Exception {
    Path path = DiskImages.random(dir.resolve("file"), MIB, 1);
    try (NativeFile file = NativeFile.openWrite(path);
        NativeFile reader = file.direct().orElseThrow();
        NativeFile writer = file.direct().orElseThrow();
        Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(65_536, NativeFile.DIRECT_ALIGNMENT).fill((byte) 3);
      assertThat(writer.writeDirect(65_536, data)).isEqualTo(Outcome.DONE);
      MemorySegment back = arena.allocate(65_536, NativeFile.DIRECT_ALIGNMENT);
      file.read(65_536, back);
      assertThat(back.mismatch(data)).isEqualTo(-1);
      back.fill((byte) 0);
      assertThat(reader.readDirect(65_536, back)).isEqualTo(Outcome.DONE);
      assertThat(back.mismatch(data)).isEqualTo(-1);
      assertThat(reader.readDirect(1, back)).isEqualTo(Outcome.NOT_SUPPORTED);
    }
  }

  @Test
  void tellsWhatIsCachedOrThatItCannot() throws Exception {
    Path path = DiskImages.random(dir.resolve("file"), MIB, 1);
    Files.readAllBytes(path);
    try (NativeFile file = NativeFile.openWrite(path)) {
      file.cachedBytes(0, MIB).ifPresent(cached -> assertThat(cached).isEqualTo(MIB));
      file.dataSync();
      file.adviseDontNeed(0, 0);
      file.cachedBytes(0, MIB).ifPresent(cached -> assertThat(cached).isLessThan(MIB));
    }
  }

  @Test
  void aLockOutlivesOtherDescriptorsOfTheFile() throws Exception {
    Path path = DiskImages.hole(dir.resolve("file"), MIB);
    try (NativeFile first = NativeFile.openWrite(path)) {
      assertThat(first.tryLock(100, 104)).isTrue();
      try (NativeFile second = NativeFile.openWrite(path)) {
        assertThat(second.tryLock(150, 1)).isFalse();
        assertThat(second.tryLock(0, 50)).isTrue();
      }
      try (FileChannel other = FileChannel.open(path, StandardOpenOption.WRITE)) {
        assertThat(other.tryLock(100, 104, false)).isNull();
      }
      Process qemu =
          new ProcessBuilder("qemu-io", "-f", "raw", "-c", "read 0 512", path.toString())
              .redirectErrorStream(true)
              .start();
      assertThat(new String(qemu.getInputStream().readAllBytes(), UTF_8)).contains("lock");
    }
    try (NativeFile next = NativeFile.openWrite(path)) {
      assertThat(next.tryLock(100, 104)).isTrue();
    }
  }

  @Test
  void aClosedFileRefusesEverything() throws Exception {
    NativeFile file = NativeFile.createNew(dir.resolve("file"));
    file.close();
    file.close();
    assertThatThrownBy(file::dataSync)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("already closed");
  }
}
