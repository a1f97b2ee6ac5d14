package io.quarry.agent.dev;

import io.quarry.agent.data.process.Spawner;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Starts JVMs on this JVM's class path that die with this JVM, even after SIGKILL. */
final class ChildProcesses {
  private final Spawner spawner = new Spawner();
  private final String classPath;

  ChildProcesses() {
    this(System.getProperty("java.class.path"));
  }

  private ChildProcesses(String classPath) {
    this.classPath = classPath;
  }

  /** A class path without directories: a class archive works with jars only. */
  static ChildProcesses ofJars() {
    return new ChildProcesses(
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> entry.endsWith(".jar"))
            .collect(Collectors.joining(File.pathSeparator)));
  }

  /** Starts a main class; its output is appended to the log. */
  Process java(List<String> options, Class<?> main, List<String> arguments, Path log)
      throws IOException {
    return java(List.of(), options, main, arguments, log);
  }

  /**
   * Starts a main class through another program.
   *
   * @param launcher the program's words; the program then replaces itself by the words that follow
   */
  Process java(
      List<String> launcher, List<String> options, Class<?> main, List<String> arguments, Path log)
      throws IOException {
    List<String> words = new ArrayList<>(launcher);
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(
        List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
    words.addAll(options);
    words.addAll(List.of("-cp", classPath, main.getName()));
    words.addAll(arguments);
    return spawner.start(
        new ProcessBuilder(words)
            .redirectErrorStream(true)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())));
  }
}
