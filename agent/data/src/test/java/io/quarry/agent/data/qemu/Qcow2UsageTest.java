package io.quarry.agent.data.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.data.os.NativeFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Qcow2UsageTest {
  private static final long MIB = 1 << 20;

  @TempDir private Path directory;

  @Test
  void writtenClustersAreInUse() throws Exception {
    Path file = directory.resolve("disk.qcow2");
    long size = 8L << 30;
    try (NativeFile made = NativeFile.createNew(file)) {
      EmptyQcow2.write(made, size, Optional.empty());
      assertThat(Qcow2Usage.usesBehind(made, 0)).isTrue();
      assertThat(Qcow2Usage.usesBehind(made, EmptyQcow2.bytes(size))).isFalse();
    }
    write(file, "write 0 4M");
    long end;
    try (NativeFile open = NativeFile.openRead(file)) {
      end = open.size();
      assertThat(end).isGreaterThan(4 * MIB);
      assertThat(Qcow2Usage.usesBehind(open, end - (64 << 10))).isTrue();
      assertThat(Qcow2Usage.usesBehind(open, end)).isFalse();
    }
    assertThat(EmptyQcow2.bytesMax(4 * MIB)).isGreaterThan(end);
  }

  private static void write(Path file, String command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("qemu-io", "-f", "qcow2", "-c", command, file.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
  }

  @Test
  void otherFilesAreRefused() throws Exception {
    try (NativeFile made = NativeFile.createNew(directory.resolve("raw"))) {
      made.truncate(MIB);
      assertThatThrownBy(() -> Qcow2Usage.usesBehind(made, 0)).isInstanceOf(IOException.class);
    }
  }
}
