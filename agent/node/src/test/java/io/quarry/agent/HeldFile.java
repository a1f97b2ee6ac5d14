package io.quarry.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A file that a QEMU process outside of Quarry holds open. */
public final class HeldFile implements AutoCloseable {
  private final Process process;

  private HeldFile(Process process) {
    this.process = process;
  }

  /**
   * Returns when the process holds the file.
   *
   * @param options of qemu-io; without {@code -r} the process is a writer
   */
  public static HeldFile of(Path file, String... options) throws Exception {
    List<String> words = new ArrayList<>(List.of("qemu-io"));
    words.addAll(List.of(options));
    words.add(file.toString());
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
    process.outputWriter(StandardCharsets.UTF_8).append("read 0 512\n").flush();
    String line = said.readLine();
    while (line != null && !line.contains("read 512/512 bytes")) {
      line = said.readLine();
    }
    assertThat(line).as("%s", words).isNotNull();
    return new HeldFile(process);
  }

  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }
}
