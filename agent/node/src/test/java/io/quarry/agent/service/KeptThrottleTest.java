package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.repository.StateFile;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A throttled host copied at full speed after a restart. */
final class KeptThrottleTest {
  private static final long CONFIGURED = 1 << 20;

  @TempDir private Path directory;

  @SuppressWarnings("NullAway.Init")
  private Path file;

  @BeforeEach
  void place() {
    file = directory.resolve("throttle.json");
  }

  private long limit(long configured) throws Exception {
    return new KeptThrottle(file, configured).throttle().bytesPerSecond();
  }

  @Test
  void limitOfACallOutlivesTheAgent() throws Exception {
    assertThat(limit(CONFIGURED)).isEqualTo(CONFIGURED);
    KeptThrottle kept = new KeptThrottle(file, CONFIGURED);
    kept.set(4_096);
    assertThat(kept.throttle().bytesPerSecond()).isEqualTo(4_096);
    assertThat(limit(CONFIGURED)).isEqualTo(4_096);
    new KeptThrottle(file, CONFIGURED).set(0);
    assertThat(limit(CONFIGURED)).isZero();
  }

  @Test
  void changeOfTheConfigurationIsALaterWord() throws Exception {
    new KeptThrottle(file, CONFIGURED).set(4_096);
    assertThat(limit(2 * CONFIGURED)).isEqualTo(2 * CONFIGURED);
  }

  @Test
  void limitThatCannotBeKeptIsRefused() throws Exception {
    KeptThrottle kept = new KeptThrottle(file, CONFIGURED);
    Files.createDirectories(directory.resolve("throttle.json.new/full"));
    assertThatThrownBy(() -> kept.set(4_096))
        .asInstanceOf(InstanceOfAssertFactories.type(StorageException.class))
        .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.INTERNAL))
        .satisfies(e -> assertThat(e.remedy()).contains(directory.toString()));
    assertThat(kept.throttle().bytesPerSecond()).isEqualTo(CONFIGURED);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "null", "[]", "{\"bytesPerSecond\":-1,\"configured\":0}"})
  void damagedFileIsNamedWithWhatToDo(String content) throws Exception {
    Files.writeString(file, content);
    assertThatThrownBy(() -> limit(CONFIGURED))
        .isInstanceOf(StateFile.DamagedException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining("quarry throttle");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[{", "null", "{}", "[null]", "[{\"repoId\":\"main\"}]", "[1]", "[{\"x\":1}]"})
  void damagedConnectionsAreNamedWithWhatToDo(String content) throws Exception {
    Path connections = directory.resolve("connections.json");
    Files.writeString(connections, content);
    assertThatThrownBy(() -> new Connections(connections))
        .isInstanceOf(StateFile.DamagedException.class)
        .hasMessageStartingWith(connections.toString())
        .hasMessageContaining("quarry repo connect");
  }
}
