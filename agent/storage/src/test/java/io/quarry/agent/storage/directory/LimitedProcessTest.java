package io.quarry.agent.storage.directory;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** 12.7: EMFILE and EFBIG from the limits of the agent's own process, as systemd sets them. */
@Timeout(120)
final class LimitedProcessTest {
  private static final long GIB = 1L << 30;

  @Test
  void limitsOfTheProcessAreNamed(@TempDir Path directory) throws Exception {
    List<String> said = said(directory, "--nofile=200:200", "--fsize=" + GIB + ":" + GIB);
    assertThat(said).hasSize(3);
    long largest = Long.parseLong(said.getFirst().substring("largest ".length()));
    assertThat(largest).isBetween(GIB - GIB / 512, GIB - 1);
    assertThat(said.get(1))
        .startsWith("TOO_MANY_OPEN: ")
        .contains("Too many open files in this process", "LimitNOFILE");
    assertThat(said.get(2)).isEqualTo("works");
  }

  private static List<String> said(Path directory, String... limits) throws Exception {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> words = new ArrayList<>(List.of("prlimit"));
    words.addAll(List.of(limits));
    words.addAll(
        List.of(
            java.toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            LimitedProcess.class.getName(),
            directory.toString()));
    Path errors = directory.resolveSibling(directory.getFileName() + ".errors");
    Process process = new ProcessBuilder(words).redirectError(errors.toFile()).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(Files.readString(errors)).isZero();
    Files.delete(errors);
    return output
        .lines()
        .filter(line -> line.startsWith(LimitedProcess.SAID))
        .map(line -> line.substring(LimitedProcess.SAID.length()))
        .toList();
  }
}
