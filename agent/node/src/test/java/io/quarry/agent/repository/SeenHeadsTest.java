package io.quarry.agent.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.LoopFilesystem;
import io.quarry.coordinator.log.Position;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SeenHeadsTest {
  private static final Position NEWER = new Position(9, "hash-9", 2, "host-2");
  private static final Position RESTORED = new Position(4, "hash-4", 1, "host-1");

  @TempDir private Path directory;

  @Test
  void notesLastOverRestarts() throws Exception {
    new SeenHeads(directory.resolve("seen")).note("key", NEWER);
    SeenHeads restarted = new SeenHeads(directory.resolve("seen"));
    assertThat(restarted.of("key")).isEqualTo(NEWER);
    assertThat(restarted.of("other")).isEqualTo(Position.START);
  }

  @Test
  void damagedNoteSaysNothing() throws Exception {
    Files.writeString(directory.resolve("key.json"), "{\"sequence\":");
    assertThat(new SeenHeads(directory).of("key")).isEqualTo(Position.START);
  }

  @Test
  void operatorsWordOutlivesAPowerCut() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(directory)) {
      new SeenHeads(xfs.path()).note("key", NEWER);
      xfs.force();
      new SeenHeads(xfs.path()).believe("key", RESTORED);
      xfs.cutPower();
      xfs.restorePower();
      assertThat(new SeenHeads(xfs.path()).of("key")).isEqualTo(RESTORED);
    }
  }
}
