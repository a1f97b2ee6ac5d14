package io.quarry.agent.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.LoopFilesystem;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DrainTest {
  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  @TempDir private Path directory;

  @Test
  void lastsOverRestarts() throws Exception {
    Path file = directory.resolve("drained");
    Drain drain = new Drain(file);
    AtomicInteger changes = new AtomicInteger();
    drain.onChange(changes::incrementAndGet);
    assertThat(drain.drained()).isFalse();
    drain.begin(NOON);
    drain.begin(NOON.plusSeconds(1));
    assertThat(changes).hasValue(1);

    Drain restarted = new Drain(file);
    assertThat(restarted.since()).isEqualTo(NOON);
    restarted.end();
    restarted.end();
    assertThat(file).doesNotExist();
    assertThat(new Drain(file).drained()).isFalse();
  }

  @Test
  void beginAndEndOutliveAPowerCut() throws Exception {
    try (LoopFilesystem xfs = LoopFilesystem.mountXfs(directory)) {
      Path file = xfs.path().resolve("drained");
      new Drain(file).begin(NOON);
      xfs.cutPower();
      xfs.restorePower();
      Drain restarted = new Drain(file);
      assertThat(restarted.since()).isEqualTo(NOON);
      restarted.end();
      xfs.cutPower();
      xfs.restorePower();
      assertThat(new Drain(file).drained()).isFalse();
    }
  }

  @Test
  void fileThatSaysNothingStillDrains() throws Exception {
    Path file = Files.writeString(directory.resolve("drained"), "yes\n");
    assertThat(new Drain(file).drained()).isTrue();
  }

  @Test
  void onlyReadyHostsAreReady() {
    HostRecord self = host("i1", null, true);
    assertThat(anotherIsReady(self)).isFalse();
    assertThat(anotherIsReady(self, host("i2", NOON, true))).isFalse();
    assertThat(anotherIsReady(self, host("i2", null, false))).isFalse();
    assertThat(anotherIsReady(self, host("i2", null, true))).isTrue();
  }

  private static boolean anotherIsReady(HostRecord... live) {
    return Drain.anotherIsReady(List.of(live), "i1", "key");
  }

  private static HostRecord host(String incarnation, @Nullable Instant drained, boolean healthy) {
    return new HostRecord(
        "host-" + incarnation,
        incarnation,
        "http://h:1",
        NOON,
        Map.of("key", new RepositoryOnHost("main", "localfs-1.0", healthy)),
        null,
        null,
        drained,
        null);
  }
}
