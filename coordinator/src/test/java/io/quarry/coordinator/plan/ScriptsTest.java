package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Compares each script under resources with the planner's outcome. To change the scripts on
 * purpose, run with {@code -Dquarry.scripts=write} in the module's directory, and read the
 * difference.
 */
class ScriptsTest {
  private static final String FOLDER = "/io/quarry/coordinator/plan/scripts";
  private static final Path SOURCES = Path.of("src/test/resources" + FOLDER);

  @TestFactory
  Stream<DynamicTest> scripts() throws Exception {
    URI folder = Objects.requireNonNull(getClass().getResource(FOLDER)).toURI();
    try (Stream<Path> files = Files.list(Path.of(folder))) {
      return files.sorted().map(ScriptsTest::test).toList().stream();
    }
  }

  private static DynamicTest test(Path file) {
    return DynamicTest.dynamicTest(String.valueOf(file.getFileName()), () -> run(file));
  }

  private static void run(Path file) throws Exception {
    String expected = Files.readString(file);
    String actual = Script.run(expected);
    if ("write".equals(System.getProperty("quarry.scripts"))) {
      Files.writeString(SOURCES.resolve(file.getFileName()), actual);
    } else {
      assertThat(actual).as("%s: the planner's outcome", file).isEqualTo(expected);
    }
  }
}
