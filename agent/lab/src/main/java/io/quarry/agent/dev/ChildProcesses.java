package io.quarry.agent.dev;

import io.quarry.agent.data.process.Spawner;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Starts JVMs on this JVM's class path that die with this JVM, even after SIGKILL. */
final class ChildProcesses {
  private final Spawner spawner = new Spawner();
  private final List<String> options;
  private final String classPath;

  /**
   * @param options for all JVMs; the directories of the class path come last, since a class archive
   *     knows jars alone
   */
  ChildProcesses(List<String> options) {
    this(options, jarsFirst());
  }

  private ChildProcesses(List<String> options, String classPath) {
    this.options = List.copyOf(options);
    this.classPath = classPath;
  }

  /** The same JVMs with other jars, which the class archive does not know. */
  ChildProcesses withClassPath(String other) {
    return new ChildProcesses(List.of(), other);
  }

  static String jarsFirst() {
    return Stream.concat(jarsOrNot(true), jarsOrNot(false))
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** A class archive can only be made without directories. */
  static ChildProcesses ofJars() {
    return new ChildProcesses(List.of(), jars().collect(Collectors.joining(File.pathSeparator)));
  }

  static Stream<String> jars() {
    return jarsOrNot(true);
  }

  private static Stream<String> jarsOrNot(boolean jars) {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> entry.endsWith(".jar") == jars);
  }

  /** Those of all JVMs. */
  List<String> options() {
    return options;
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
    words.addAll(this.options);
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
