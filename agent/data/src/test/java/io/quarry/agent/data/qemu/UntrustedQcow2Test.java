package io.quarry.agent.data.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.DiskImages;
import io.quarry.agent.data.Tools;
import io.quarry.agent.data.process.Children;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.data.process.ToolFailure;
import io.quarry.agent.data.process.ToolLimits;
import io.quarry.common.model.VolumeFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hostile files, made by QEMU's own tools or by changing bytes of good files. */
final class UntrustedQcow2Test {
  private static final int MIB = 1 << 20;
  private static final int CLUSTER = 65_536;

  /** The offset of a number whose highest byte comes first. */
  private static final int CRYPT_METHOD_OFFSET = 32;

  private static final int LUKS = 2;

  @TempDir private Path dir;

  private final Children children = new Children(new Spawner(), "test");
  private final Tools tools = new Tools(children);
  private final UntrustedQcow2 untrusted = new UntrustedQcow2(children);

  private Path create(String... options) throws Exception {
    Path file = dir.resolve("image.qcow2");
    tools.run(
        Stream.of(
                Stream.of("qemu-img", "create", "-q", "-f", "qcow2"),
                Stream.of(options),
                Stream.of(file.toString(), "4M"))
            .flatMap(words -> words)
            .toArray(String[]::new));
    return file;
  }

  private Path good() throws Exception {
    Path file = create();
    tools.io(file, "qcow2", "write -P 7 0 1M", "write -c -P 8 2M 64k", "write -z 3M 64k");
    return file;
  }

  private static Chain.Layer layer(Path file) {
    return new Chain.Layer(file, VolumeFormat.QCOW2);
  }

  private void refused(Path file, String why) {
    assertThatThrownBy(() -> untrusted.inspect(layer(file), 4 * MIB))
        .isInstanceOfSatisfying(
            UntrustedImageException.class, refusal -> assertThat(refusal.remedy()).isNotEmpty())
        .hasMessageContaining(why);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compat=0.10",
        "compat=1.1",
        "cluster_size=512",
        "cluster_size=2M",
        "extended_l2=on",
        "compression_type=zstd",
        "lazy_refcounts=on",
        "refcount_bits=64",
        "preallocation=metadata"
      })
  void filesThatQemuMakesAreAccepted(String option) throws Exception {
    Path file = create("-o", option);
    tools.io(file, "qcow2", "write -P 7 0 1M", "write -P 9 3M 1M");
    assertThat(untrusted.inspect(layer(file), 4 * MIB)).isEqualTo(4 * MIB);
    assertThat(untrusted.inspect(layer(file), 1L << 40)).isEqualTo(4 * MIB);
  }

  @Test
  void compressedClustersZerosAndLeaksAreTaken() throws Exception {
    Path file = good();
    leak(file);
    assertThat(
            new QemuImg(children).check(new Chain.Layer(file, VolumeFormat.QCOW2)).leakedClusters())
        .isEqualTo(1);
    assertThat(untrusted.inspect(layer(file), 4 * MIB)).isEqualTo(4 * MIB);
  }

  @Test
  void backingFilesAreRefused() throws Exception {
    Path secret = DiskImages.hole(dir.resolve("secret.raw"), 4 * MIB);
    refused(create("-b", secret.toString(), "-F", "raw"), "names a backing file");
    refused(create("-u", "-b", "/etc/passwd", "-F", "raw"), "names a backing file");
    refused(create("-u", "-b", "nbd://127.0.0.1:1/", "-F", "raw"), "names a backing file");
    refused(
        create("-u", "-b", "json:{\"driver\":\"null-co\"}", "-F", "raw"), "names a backing file");
  }

  @Test
  void externalDataFilesAreRefused() throws Exception {
    Path data = dir.resolve("data.raw");
    refused(create("-o", "data_file=" + data), "keeps its data in another file");
    refused(create("-o", "data_file=" + data + ",data_file_raw=on"), "in another file");
  }

  @Test
  void encryptionIsRefused() throws Exception {
    // To make a LUKS file, QEMU measures the processor, and fails on a busy machine.
    Path aes =
        create(
            "--object",
            "secret,id=sec0,data=geheim",
            "-o",
            "encrypt.format=aes,encrypt.key-secret=sec0");
    refused(aes, "is encrypted");
    DiskImages.fill(aes, CRYPT_METHOD_OFFSET + 3, 1, LUKS);
    refused(aes, "is encrypted");
  }

  @Test
  void snapshotsAndBitmapsAreRefused() throws Exception {
    Path snapshots = good();
    tools.run("qemu-img", "snapshot", "-c", "one", snapshots.toString());
    refused(snapshots, "internal snapshots");
    Path bitmaps = create();
    tools.run("qemu-img", "bitmap", "--add", bitmaps.toString(), "b0");
    refused(bitmaps, "persistent bitmaps");
  }

  @Test
  void largerDisksAreRefused() throws Exception {
    Path file = good();
    assertThatThrownBy(() -> untrusted.inspect(layer(file), 4 * MIB - 512))
        .isInstanceOf(UntrustedImageException.class)
        .hasMessageContaining("4194304 bytes")
        .hasMessageContaining("4193792");
  }

  @Test
  void otherFilesAreRefused() throws Exception {
    refused(DiskImages.random(dir.resolve("raw"), MIB, 1), "not a qcow2 file");
    refused(DiskImages.hole(dir.resolve("hole"), MIB), "not a qcow2 file");
    refused(Files.createFile(dir.resolve("empty")), "not a qcow2 file");
    refused(Files.writeString(dir.resolve("short"), "QFI\u00fb"), "not a qcow2 file");
    Path vmdk = dir.resolve("image.vmdk");
    tools.run("qemu-img", "create", "-q", "-f", "vmdk", vmdk.toString(), "4M");
    refused(vmdk, "not a qcow2 file");
  }

  /** The offsets are those of the format's specification; each value lies in one field. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          4  | 4 | 4                    | version 4
          8  | 8 | 104                  | names a backing file
          16 | 4 | 9                    | names a backing file
          20 | 4 | 8                    | clusters
          20 | 4 | 22                   | clusters
          20 | 4 | -1                   | clusters
          24 | 8 | 0                    | 0 bytes
          24 | 8 | -512                 | -512 bytes
          24 | 8 | 4194303              | no multiple
          24 | 8 | 9223372036854775296  | first table
          32 | 4 | 1                    | encrypted
          32 | 4 | 2                    | encrypted
          36 | 4 | 0                    | first table
          36 | 4 | -1                   | first table
          36 | 4 | 4194305              | first table
          40 | 8 | 0                    | a table at 0
          40 | 8 | 196609               | a table at 196609
          40 | 8 | 1099511627776        | a table at 1099511627776
          40 | 8 | 65536                | qemu-img check
          48 | 8 | 0                    | a table at 0
          48 | 8 | -65536               | a table at -65536
          48 | 8 | 196608               | QEMU does not read it
          56 | 4 | 0                    | QEMU does not read it
          56 | 4 | -1                   | QEMU does not read it
          60 | 4 | 1                    | internal snapshots
          72 | 8 | 1                    | not closed cleanly
          72 | 8 | 2                    | corrupt
          72 | 8 | 4                    | another file
          72 | 8 | 8                    | QEMU does not read it
          72 | 8 | 32                   | not known here: 20
          72 | 8 | -9223372036854775808 | not known here
          88 | 8 | 1                    | bitmaps
          96 | 4 | 7                    | reference counts
          96 | 4 | -1                   | reference counts
          96 | 4 | 3                    | qemu-img check
          100 | 4 | 72                  | its header has 72 bytes
          """)
  void headersThatLieAreRefused(int offset, int length, long value, String why) throws Exception {
    Path file = good();
    patch(file, offset, length, value);
    refused(file, why);
  }

  /** Clusters: 0 header, 1 and 2 reference counts, 3 first table, 4 second table, then data. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          30000 | 8000000000010000 | a second table where the counts are
          30000 | 8100000000000000 | a second table behind the end
          40000 | 8000000000030000 | data where the first table is
          40008 | 8000000000050000 | two clusters in one place
          40000 | 8000000000050200 | data that is not aligned
          20000 | 0000000000000000 | no counts
          """)
  void tablesThatLieAreRefused(String offset, String entry, String what) throws Exception {
    Path file = good();
    patch(file, Long.parseLong(offset, 16), Long.BYTES, Long.parseUnsignedLong(entry, 16));
    assertThatThrownBy(() -> untrusted.inspect(layer(file), 4 * MIB))
        .as(what)
        .isInstanceOf(UntrustedImageException.class)
        .hasMessageContaining("qemu-img check");
  }

  @Test
  void endlessWorkIsRefused() throws Exception {
    Path file = create("-o", "cluster_size=512");
    // A checking tool needs two bytes for each of two billion clusters without data.
    DiskImages.fill(file, (1L << 40) - 1, 1, 1);
    refused(file, "within the limits");
  }

  @Test
  void inspectedFileStaysAsItIs() throws Exception {
    Path file = good();
    byte[] before = Files.readAllBytes(file);
    assertThat(untrusted.inspect(layer(file), 4 * MIB)).isEqualTo(4 * MIB);
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
  }

  /** Makes a reference count without a reference, as a killed writer leaves it. */
  private static void leak(Path file) throws IOException {
    DiskImages.fill(file, 2 * CLUSTER + 2 * 100 + 1, 1, 1);
    DiskImages.fill(file, 101L * CLUSTER - 1, 1, 1);
  }

  private static void patch(Path file, long offset, int length, long value) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).putLong(value).position(Long.BYTES - length);
    try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
      while (bytes.hasRemaining()) {
        out.write(bytes, offset + bytes.position() - (Long.BYTES - length));
      }
    }
  }

  /**
   * 12.17: a killed tool was taken for a permanent verdict on the file, and no reason was given.
   */
  @Test
  void toolThatIsKilledSaysNothingOfTheFile() throws Exception {
    Path file = good();
    // The kernel kills a process that finds no room for its own program.
    var strangled = new UntrustedQcow2(children, new ToolLimits(Duration.ofSeconds(9), 1 << 16));
    assertThatThrownBy(() -> strangled.inspect(layer(file), 4 * MIB))
        .isInstanceOfSatisfying(ToolFailure.class, failure -> assertThat(failure.killed()).isTrue())
        .hasMessageContaining("killed by signal");
    assertThat(untrusted.inspect(layer(file), 4 * MIB)).isEqualTo(4 * MIB);
  }
}
