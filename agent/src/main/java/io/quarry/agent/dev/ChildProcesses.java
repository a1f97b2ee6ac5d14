package io.quarry.agent.dev;

import io.quarry.agent.data.process.Spawner;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts JVMs on this one's class path that die with this one, even by SIGKILL. */
final class ChildProcesses {
  private final Spawner spawner = new Spawner();

  /** Starts a main class; what it prints is appended to the log. */
  Process java(List<String> options, Class<?> main, List<String> arguments, Path log)
      throws IOException {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(
        List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
    words.addAll(options);
    words.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    words.addAll(arguments);
    return spawner.start(
        new ProcessBuilder(words)
            .redirectErrorStream(true)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())));
  }
}
