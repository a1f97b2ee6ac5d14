package io.quarry.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Replays the sessions in {@code golden/*.txt} and compares every line of output. Standard error is
 * marked with {@code !}, and an exit code other than 0 stands in brackets. {@code %} changes the
 * storage without a command. {@code -Dgolden.write=true} writes the output into the files, for
 * review.
 */
final class GoldenTest {
  private static final Path PLACE = Path.of("src/test/resources/io/quarry/agent/cli/golden");

  static Stream<String> sessions() throws IOException {
    try (Stream<Path> files = Files.list(PLACE)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("sessions")
  void sessionPrintsTheExpectedLines(String name) throws IOException {
    Path file = PLACE.resolve(name);
    String expected = Files.readString(file);
    String printed = Session.replay(expected.lines().toList(), new Console(false, Map.of()));
    if (Boolean.getBoolean("golden.write")) {
      Files.writeString(file, printed);
    } else {
      assertThat(printed).isEqualTo(expected);
    }
  }
}
