package io.quarry.agent.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.qemu.Backing;
import io.quarry.agent.data.qemu.Chain;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RealDiskTest {
  private static final long MIB = 1 << 20;

  @TempDir Path directory;
  private final DemoTools tools = new DemoTools(new Children(new Spawner(), "test"));

  @Test
  void findsLargeFilesUntilItHasEnough() throws IOException {
    write(directory.resolve("small"), 10);
    write(directory.resolve("a"), 2 * MIB);
    write(Files.createDirectories(directory.resolve("deep")).resolve("b"), 3 * MIB);
    List<Path> places = List.of(directory.resolve("missing"), directory);
    assertThat(RealFiles.find(places, Long.MAX_VALUE))
        .extracting(found -> found.path().getFileName().toString())
        .containsExactlyInAnyOrder("a", "b");
    assertThat(RealFiles.find(places, 1)).hasSize(1);
  }

  @Test
  void takesAnImageOfTheUser() throws Exception {
    Path raw = directory.resolve("disk.img");
    write(raw, 5 * MIB);
    try (FileChannel file = FileChannel.open(raw, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.allocate(1), 1024 * MIB - 1);
    }
    Path work = Files.createDirectory(directory.resolve("work"));
    RealDisk disk = RealDisk.of(tools, work, raw);
    assertThat(disk.size()).isEqualTo(1024 * MIB);
    assertThat(tools.qemuImg().compare(disk.chain(), Chain.of(raw, VolumeFormat.RAW))).isTrue();
  }

  @Test
  void refusesAnImageThatIsCopiedTooSoon() throws Exception {
    Path raw = directory.resolve("disk.img");
    write(raw, 5 * MIB);
    assertThatThrownBy(() -> RealDisk.of(tools, directory, raw))
        .isInstanceOf(DemoFailure.class)
        .hasMessageContaining("before it can be killed");
  }

  @Test
  void refusesAnImageThatNeedsAnother() throws Exception {
    write(directory.resolve("base"), MIB);
    Path overlay = directory.resolve("overlay.qcow2");
    tools.qemuImg().createOverlay(overlay, new Backing("base", VolumeFormat.RAW), MIB);
    assertThatThrownBy(() -> RealDisk.of(tools, directory, overlay))
        .isInstanceOf(DemoFailure.class)
        .hasMessageContaining("needs another file");
  }

  @Test
  void hashesWhatAGuestWouldReadThroughAChain() throws Exception {
    Path base = directory.resolve("base.raw");
    Path overlay = directory.resolve("overlay.qcow2");
    Path expected = directory.resolve("expected.raw");
    write(base, 3 * MIB);
    Path change = directory.resolve("change.raw");
    Files.copy(base, change);
    try (FileChannel file = FileChannel.open(change, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(new byte[(int) MIB]), MIB);
      file.write(ByteBuffer.wrap("changed".getBytes(UTF_8)), 77);
      file.write(ByteBuffer.allocate(1), 8 * MIB - 1);
    }
    tools.qemuImg().createOverlay(overlay, new Backing("base.raw", VolumeFormat.RAW), 8 * MIB);
    tools.writeOver(change, VolumeFormat.RAW, overlay, VolumeFormat.QCOW2);
    tools.toRaw(overlay, VolumeFormat.QCOW2, expected);
    Chain chain =
        new Chain(
            List.of(
                new Chain.Layer(overlay, VolumeFormat.QCOW2),
                new Chain.Layer(base, VolumeFormat.RAW)));
    String hash = new ContentHashes(tools.qemuImg()).sha256(chain, 8 * MIB);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(change));
    assertThat(hash).isEqualTo(HexFormat.of().formatHex(digest));
    assertThat(Files.mismatch(expected, change)).isEqualTo(-1);
  }

  private static void write(Path file, long bytes) throws IOException {
    byte[] content = new byte[(int) bytes];
    new Random(bytes).nextBytes(content);
    Files.write(file, content);
  }
}
