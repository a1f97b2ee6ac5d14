package io.quarry.agent.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.os.NativeFile;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract of every source, whatever kind of file it reads. */
final class SourceTest {
  private static final int MIB = 1 << 20;

  @TempDir Path dir;

  private final Children children = new Children(new Spawner(), "test");
  private final Tools tools = new Tools(children);

  @AfterEach
  void stop() throws Exception {
    children.stopAll(Duration.ofSeconds(20));
  }

  @Test
  void rawFile() throws Exception {
    Path raw = DiskImages.random(dir.resolve("disk.raw"), 9 * MIB + 512, 21);
    try (Source source = RawFileSource.open(raw)) {
      assertHas(source, Files.readAllBytes(raw));
    }
  }

  @Test
  void rawFileThatIsNotCached() throws Exception {
    Path raw = DiskImages.random(dir.resolve("disk.raw"), 9 * MIB + 512, 25);
    byte[] expected = Files.readAllBytes(raw);
    try (Source source = RawFileSource.open(raw);
        NativeFile file = NativeFile.openWrite(raw)) {
      file.dataSync();
      for (int offset = 0; offset < 9 * MIB; offset += 700_416) {
        file.adviseDontNeed(0, 0);
        assertRead(source, offset, Math.min(MIB, expected.length - offset), expected);
      }
    }
  }

  @Test
  void holesOfARawFileAreZeroExtents() throws Exception {
    Path raw = DiskImages.hole(dir.resolve("disk.raw"), 8 * MIB);
    DiskImages.fill(raw, 2 * MIB, MIB, 1);
    try (Source source = RawFileSource.open(raw)) {
      List<Extent> extents = source.extents(MIB, 4 * MIB);
      assertThat(extents)
          .extracting(Extent::kind)
          .containsExactly(Extent.Kind.ZERO, Extent.Kind.DATA, Extent.Kind.ZERO);
      assertThat(extents)
          .extracting(Extent::offset)
          .containsExactly((long) MIB, 2L * MIB, 3L * MIB);
    }
  }

  @Test
  void chainReadFromItsFiles() throws Exception {
    Path top = tools.chainOfThree(dir, 9 * MIB + 512, 11 * MIB, 22);
    try (Source source = ImageCopy.open(children, dir, top, VolumeFormat.QCOW2)) {
      assertThat(source).isInstanceOf(ChainSource.class);
      assertHas(source, flat(top));
      assertThat(source.extents(0, source.size())).anyMatch(extent -> extent.place().isPresent());
      // Only the server can read the compressed cluster.
      assertThat(source.extents(MIB, 65_536)).allMatch(extent -> extent.place().isEmpty());
    }
  }

  @Test
  void chainReadThroughAServer() throws Exception {
    Path top = tools.chainOfThree(dir, 9 * MIB + 512, 11 * MIB, 23);
    try (Source source = NbdSource.open(children, dir, tools.chain(top))) {
      assertHas(source, flat(top));
    }
  }

  @Test
  void anImageWithADataFileIsRefused() throws Exception {
    Path image = dir.resolve("disk.qcow2");
    Path data = dir.resolve("data");
    tools.run(
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-o",
        "data_file=" + data,
        image.toString(),
        "4M");
    tools.io(image, "qcow2", "write -P 5 1M 1M");
    assertThatThrownBy(() -> ImageCopy.open(children, dir, image, VolumeFormat.QCOW2))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("disk.qcow2");
  }

  @Test
  void aFileThatEndsInsideItsLastClusterGoesOnWithZeros() throws Exception {
    Path image = dir.resolve("disk.qcow2");
    tools.run("qemu-img", "create", "-q", "-f", "qcow2", image.toString(), "1M");
    tools.io(image, "qcow2", "write -P 5 0 4k");
    try (var file = FileChannel.open(image, StandardOpenOption.WRITE)) {
      // Cluster 0 is the fifth of the file; keep 8 KiB of it.
      file.truncate(5 * 65_536 + 8192);
    }
    try (Source source = ImageCopy.open(children, dir, image, VolumeFormat.QCOW2)) {
      assertHas(source, flat(image));
    }
  }

  private byte[] flat(Path image) throws IOException, InterruptedException {
    Path flat = dir.resolve("flat.raw");
    tools.run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", image.toString(), flat.toString());
    return Files.readAllBytes(flat);
  }

  private static void assertHas(Source source, byte[] expected) throws IOException {
    assertThat(source.size()).isEqualTo(expected.length);
    Random random = new Random(24);
    for (int i = 0; i < 100; i++) {
      int offset = random.nextInt(expected.length - 1);
      int length = 1 + random.nextInt(Math.min(expected.length - offset, 1_500_000));
      assertExtents(source, offset, length, expected);
      assertRead(source, offset, length, expected);
    }
    assertExtents(source, 0, expected.length, expected);
  }

  private static void assertRead(Source source, int offset, int length, byte[] expected)
      throws IOException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment into = arena.allocate(length, 4096).fill((byte) 0x5a);
      source.read(offset, into);
      assertThat(into.mismatch(MemorySegment.ofArray(expected).asSlice(offset, length)))
          .as("%d bytes at %d", length, offset)
          .isEqualTo(-1);
    }
  }

  private static void assertExtents(Source source, int offset, int length, byte[] expected)
      throws IOException {
    long at = offset;
    for (Extent extent : source.extents(offset, length)) {
      assertThat(extent.offset()).isEqualTo(at);
      if (extent.kind() == Extent.Kind.ZERO) {
        for (long i = at; i < extent.end(); i++) {
          if (expected[(int) i] != 0) {
            throw new AssertionError("byte " + i + " is not zero, as " + extent + " says");
          }
        }
      }
      at = extent.end();
    }
    assertThat(at).isEqualTo((long) offset + length);
  }
}
