package io.quarry.agent.guardian;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command that starts the agent's JVM.
 *
 * @param javaOptions in addition to those every agent needs
 */
record AgentLaunch(String mainClass, List<String> javaOptions, List<String> arguments) {
  private static final List<String> NEEDED =
      List.of(
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow",
          "-XX:+ExitOnOutOfMemoryError");

  /**
   * Moves the two pipes to the link's descriptors, since Java can pass on only standard input and
   * output. Standard output then joins standard error in the log.
   */
  private static final String MOVE_PIPES =
      "exec \"$@\" %d<&0 %d>&1 </dev/null 1>&2"
          .formatted(GuardianLink.LIFELINE_DESCRIPTOR, GuardianLink.SESSIONS_DESCRIPTOR);

  AgentLaunch {
    javaOptions = List.copyOf(javaOptions);
    arguments = List.copyOf(arguments);
  }

  /**
   * Each program replaces its own process by the next one, so that the child's pid is the agent's.
   */
  List<String> words() {
    // File names and tools' messages are UTF-8, whatever the guardian's locale is.
    List<String> words = new ArrayList<>(List.of("env", "LC_ALL=C.UTF-8"));
    words.addAll(List.of("setpriv", "--pdeathsig", "KILL", "--"));
    words.addAll(List.of("/bin/sh", "-c", MOVE_PIPES, "agent"));
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(NEEDED);
    words.addAll(javaOptions);
    words.addAll(List.of("-cp", System.getProperty("java.class.path"), mainClass));
    words.addAll(arguments);
    return words;
  }
}
