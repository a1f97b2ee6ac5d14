package io.quarry.agent.storage.clvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Hosts have no lock between them, so none may write metadata of LVM. */
final class LvmCommandTest {
  /** The options of lvchange that change devices of this host alone. */
  private static final Set<List<String>> HARMLESS =
      Set.of(List.of("--activate", "y"), List.of("--refresh"));

  @ParameterizedTest
  @EnumSource
  void noCommandWritesMetadata(LvmCommand command) {
    List<String> words = command.of("storage", "quarry-data");
    assertThat(words.getFirst()).isEqualTo("lvchange");
    assertThat(words.getLast()).isEqualTo("storage/quarry-data");
    assertThat(HARMLESS).contains(words.subList(1, words.size() - 1));
  }

  @Test
  void eachHarmlessCommandIsOne() {
    assertThat(LvmCommand.values()).hasSameSizeAs(HARMLESS);
  }
}
