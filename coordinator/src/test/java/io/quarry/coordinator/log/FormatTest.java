package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Existing logs stay readable; docs/repository-format.md shows this one. */
class FormatTest {
  private static final String DISK = "0b9f6f1e-2f5c-4c6b-9f0e-6d2f3c1a7b10";

  @Test
  void logOfVersion1IsReadable() throws Exception {
    URI log = Objects.requireNonNull(getClass().getResource("version-1")).toURI();
    MemoryDisk disk = MemoryDisk.empty();
    try (Stream<Path> files = Files.list(Path.of(log).resolve("log"))) {
      for (Path file : files.toList()) {
        disk.link(String.valueOf(file.getFileName()), Files.readAllBytes(file));
      }
    }
    LogState state = new LogReader(new MemorySlotStore(disk)).load();
    assertThat(state.sequence()).isEqualTo(4);
    assertThat(state.position().writer()).isEqualTo("host-1/5a31");
    assertThat(state.repository().images().get(DISK)).matches(image -> !image.visible());
    assertThat(state.repository().requests().find("9e107d9d-1")).isNotNull();
    assertThat(state.repository().fixes()).hasSize(1);
  }
}
