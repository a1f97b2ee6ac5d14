package io.quarry.agent.dev;

import io.quarry.agent.data.process.Spawner;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Starts JVMs on this one's class path that die with this one, even by SIGKILL. */
final class ChildProcesses {
  private final Spawner spawner = new Spawner();
  private final String classPath;

  ChildProcesses() {
    this(System.getProperty("java.class.path"));
  }

  private ChildProcesses(String classPath) {
    this.classPath = classPath;
  }

  /** Without directories: a class archive can only be made and used with jars. */
  static ChildProcesses ofJars() {
    return new ChildProcesses(
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> entry.endsWith(".jar"))
            .collect(Collectors.joining(File.pathSeparator)));
  }

  /** Starts a main class; what it prints is appended to the log. */
  Process java(List<String> options, Class<?> main, List<String> arguments, Path log)
      throws IOException {
    return java(List.of(), options, main, arguments, log);
  }

  /**
   * The same, through another program.
   *
   * @param launcher its words, after which it becomes what follows
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
