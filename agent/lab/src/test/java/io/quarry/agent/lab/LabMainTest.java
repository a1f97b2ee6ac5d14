package io.quarry.agent.lab;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.cli.Console;
import io.quarry.agent.cli.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Replays {@code golden.txt} and compares every line of output. {@code -Dgolden.write=true} writes
 * what was printed, for review.
 */
final class LabMainTest {
  private static final Path GOLDEN = Path.of("src/test/resources/io/quarry/agent/lab/golden.txt");

  @Test
  void sessionPrintsWhatItDid() throws IOException {
    String expected = Files.readString(GOLDEN);
    Console console = new Console(false, Map.of(), LabMain.commands());
    String printed = Session.replay(expected.lines().toList(), console);
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(GOLDEN, printed);
    } else {
      assertThat(printed).isEqualTo(expected);
    }
  }
}
