package io.quarry.agent.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.chaos.Fault.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FaultNamesTest {
  @ParameterizedTest
  @EnumSource
  void kindIsFoundByTheNameItGoesBy(Kind kind) {
    assertThat(FaultNames.parse(FaultNames.of(kind))).containsExactly(kind);
    assertThat(FaultNames.parse(kind.name())).containsExactly(kind);
  }

  @Test
  void groupAndKindAddUp() {
    assertThat(FaultNames.parse("kills, zombie"))
        .contains(Kind.KILL_AGENT, Kind.KILL_ALL_AGENTS, Kind.WIPE_ZOOKEEPER, Kind.ZOMBIE)
        .doesNotContain(Kind.PAUSE_AGENT, Kind.HANG_STORAGE);
    assertThat(FaultNames.parse("all")).containsExactly(Kind.values());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "kills,", "kill", "KILL_EVERYTHING"})
  void unknownNameIsRefusedWithThoseThatThereAre(String text) {
    assertThatThrownBy(() -> FaultNames.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("there is no fault")
        .hasMessageContaining("kills, pauses")
        .hasMessageContaining("kill-agent");
  }
}
