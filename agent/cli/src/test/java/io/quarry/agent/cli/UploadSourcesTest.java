package io.quarry.agent.cli;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 12.18: uploads from pipes and devices, and of files that are no disks. */
@Timeout(120)
final class UploadSourcesTest {
  private static final int MIB = 1 << 20;
  private static final int SIZE = 16 * MIB;

  @TempDir private Path directory;

  private final Console console = new Console(true, Map.of());
  private final byte[] content = new byte[SIZE];

  @BeforeEach
  void makeDisk() {
    console.run("quarry repo create main --format localfs-1.0 --param path=/srv/quarry");
    console.run("quarry disk create main 16M");
    new Random(18).nextBytes(content);
    Arrays.fill(content, 4 * MIB, 9 * MIB, (byte) 0);
  }

  /** Writes bytes into a FIFO while a command uploads from the FIFO. */
  private Console.Result pipe(byte[] bytes, String... options) throws Exception {
    Path fifo = directory.resolve("fifo");
    if (!Files.exists(fifo)) {
      run("mkfifo", fifo.toString());
    }
    try (ExecutorService writer = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> writing =
          writer.submit(() -> {
            try (OutputStream out = Files.newOutputStream(fifo)) {
              out.write(bytes);
            } catch (IOException e) {
              // The command stops reading as soon as it can refuse the rest.
            }
          });
      Console.Result result =
          console.run("quarry image upload main disk-1 " + fifo + " " + String.join(" ", options));
      writing.get();
      return result;
    }
  }

  private static void run(String... words) throws Exception {
    assertThat(new ProcessBuilder(List.of(words)).inheritIO().start().waitFor()).isZero();
  }

  /** The command's look at the beginning of the stream consumed four bytes of it. */
  @Test
  void streamIsStoredFromItsFirstByte() throws Exception {
    Console.Result result = pipe(content);
    assertThat(result.err()).doesNotContain("error");
    assertThat(console.storage.uploaded("disk-1")).isEqualTo(content);
    assertThat(result.out()).contains(HexFormat.of().formatHex(Sha256.fresh().digest(content)));
    assertDataIsNotKnown(result);
  }

  /** 12.20: the whole size was taken for data, and so much space had to be free. */
  private void assertDataIsNotKnown(Console.Result result) {
    assertThat(requireNonNull(console.storage.begun).dataBytes()).isNull();
    assertThat(result.err()).contains(" 100 %  12 MiB").doesNotContain("12 MiB of", "ETA");
  }

  @Test
  void progressOfAFileCountsWhatIsData() throws Exception {
    Path file = directory.resolve("sparse.raw");
    try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(SIZE);
      sparse.write(content, 0, 4 * MIB);
    }
    Console.Result result = console.run("quarry image upload main disk-1 " + file);
    assertThat(requireNonNull(console.storage.begun).dataBytes()).isEqualTo(4L * MIB);
    assertThat(result.err()).contains("uploading").contains(" 100 %  4 MiB of 4 MiB");
  }

  /** The rest of the stream was cut off, with exit code 0. */
  @Test
  void streamThatIsLongerThanTheDiskIsRefused() throws Exception {
    Console.Result result = pipe(Arrays.copyOf(content, SIZE + 1));
    assertThat(result.exit()).isEqualTo(Exit.FAILED);
    assertThat(result.err()).contains("and the disk " + SIZE);
    assertThat(console.storage.takesUpload("disk-1")).as("upload under way").isFalse();
  }

  @Test
  void streamThatIsMuchShorterIsRefusedWithoutForce() throws Exception {
    byte[] few = Arrays.copyOf(content, 3 * MIB);
    Console.Result result = pipe(few);
    assertThat(result.exit()).isEqualTo(Exit.FAILED);
    assertThat(result.err()).contains("less than half").contains("--force");
    assertThat(console.storage.takesUpload("disk-1")).isFalse();

    assertThat(pipe(few, "--force").exit()).isZero();
    assertThat(console.storage.uploaded("disk-1")).isEqualTo(Arrays.copyOf(few, SIZE));
  }

  @Test
  void qcow2FromStreamIsRefused() throws Exception {
    byte[] qcow2 = Arrays.copyOf("QFI\u00fb".getBytes(StandardCharsets.ISO_8859_1), MIB);
    assertThat(pipe(qcow2).err()).contains("must have a size");
    assertThat(console.storage.takesUpload("disk-1")).isFalse();
  }

  /** The device's size was taken for 0, so the disk's content became zeros. */
  @Test
  void blockDeviceHasItsOwnSize() throws Exception {
    Path file = Files.write(directory.resolve("device.raw"), content);
    Process losetup =
        new ProcessBuilder("losetup", "--find", "--show", "--read-only", file.toString()).start();
    String device = new String(losetup.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Assumptions.assumeTrue(losetup.waitFor() == 0, "loop devices take root");
    try {
      Console.Result result = console.run("quarry image upload main disk-1 " + device.strip());
      assertThat(result.err()).doesNotContain("error").doesNotContain("reads as zeros");
      assertThat(console.storage.uploaded("disk-1")).isEqualTo(content);
      assertDataIsNotKnown(result);
    } finally {
      run("losetup", "--detach", device.strip());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 4b444d56, a VMDK file",
    "0, 434f5744, a VMDK file",
    "0, 23204469736b2044657363726970746f7246696c65, a VMDK descriptor",
    "64, 7f10dabe, a VDI file",
    "0, 7668647866696c65, a VHDX file",
    "0, 636f6e6563746978, a VHD file",
    "16776704, 636f6e6563746978, a VHD file",
    "0, 51454400, a QED file",
    "0, 1f8b08, compressed by gzip",
    "0, fd377a585a00, compressed by xz",
    "0, 28b52ffd, compressed by zstd",
    "0, 425a68, compressed by bzip2",
    "0, 504b0304, a ZIP archive"
  })
  void knownFormatIsStoredAsRawOnlyWhenAsked(int offset, String magic, String text)
      throws Exception {
    byte[] bytes = HexFormat.of().parseHex(magic);
    System.arraycopy(bytes, 0, content, offset, bytes.length);
    Path file = Files.write(directory.resolve("file"), content);
    Console.Result refused = console.run("quarry image upload main disk-1 " + file);
    assertThat(refused.exit()).isEqualTo(Exit.FAILED);
    assertThat(refused.err()).contains("is " + text).contains("--format raw");
    assertThat(console.storage.takesUpload("disk-1")).isFalse();

    String asked = "quarry image upload main disk-1 %s --format raw".formatted(file);
    assertThat(console.run(asked).exit()).isZero();
    assertThat(console.storage.uploaded("disk-1")).isEqualTo(content);
  }

  /** An ISO image with the name of a qcow2 file. */
  @Test
  void nameThatSaysAnotherFormatIsRefused() throws Exception {
    System.arraycopy("CD001".getBytes(StandardCharsets.US_ASCII), 0, content, 32_769, 5);
    for (String name : List.of("disk.qcow2", "disk.VMDK", "disk.vhd", "disk.raw.gz")) {
      Path file = Files.write(directory.resolve(name), content);
      Console.Result refused = console.run("quarry image upload main disk-1 " + file);
      assertThat(refused.err()).as(name).contains("although its name says");
      assertThat(refused.exit()).isEqualTo(Exit.FAILED);
    }
    Path iso = Files.write(directory.resolve("disk.iso"), content);
    assertThat(console.run("quarry image upload main disk-1 " + iso).exit()).isZero();
  }
}
