package io.quarry.agent.guardian;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class IncarnationTest {
  private static final int LIVES = 10_000;

  @Test
  void livesThatBeginInOneMillisecondHaveDifferentNames() {
    List<String> lives = Stream.generate(Incarnation::fresh).limit(LIVES).toList();

    assertThat(lives).doesNotHaveDuplicates();
  }

  @Test
  void isFitForAZnode() {
    assertThat(Incarnation.fresh()).matches("[0-9a-f]{12}-[0-9a-f]{16}");
  }
}
