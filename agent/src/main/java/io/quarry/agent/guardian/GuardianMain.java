package io.quarry.agent.guardian;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code quarry agent}: the guardian's process, which runs the agent as its child. */
public final class GuardianMain {
  /** More options for the agent's JVM, separated by blanks. */
  static final String JAVA_OPTIONS = "QUARRY_JAVA_OPTS";

  private static final String USAGE =
      """
      Usage: quarry agent --config FILE [--no-restart] [--no-guardian] [--pid-directory DIR]
                          [--java-option OPTION]...
      Runs an agent, and a small guardian that starts it again when it ends by accident.
        --config FILE         the agent's configuration, JSON
        --no-restart          end with the agent, with its exit code
        --no-guardian         run the bare agent: nobody proves its death (for debugging)
        --pid-directory DIR   write guardian.pid and agent.pid there
        --java-option OPTION  for the agent's JVM, like the environment's QUARRY_JAVA_OPTS
      """;

  private static final Logger log = LoggerFactory.getLogger(GuardianMain.class);

  private GuardianMain() {}

  public static void main(String[] arguments) throws Exception {
    if (List.of(arguments).contains("--help")) {
      System.out.print(USAGE);
      return;
    }
    Guardian guardian;
    try {
      guardian = parse(List.of(arguments));
    } catch (IllegalArgumentException wrong) {
      System.err.println(wrong.getMessage());
      System.err.print(USAGE);
      System.exit(ExitCode.USAGE);
      return;
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(guardian), "stop"));
    int code = ExitCode.FAILED;
    try {
      code = guardian.run();
    } catch (IOException failure) {
      log.error("The agent cannot be started: {}", failure.getMessage());
    } finally {
      // Not exit(): the hook would wait for this thread. A living agent dies with its guardian.
      Runtime.getRuntime().halt(code);
    }
  }

  private static void stop(Guardian guardian) {
    try {
      guardian.stop();
      Runtime.getRuntime().halt(ExitCode.STOPPED);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      log.warn("Interrupted while the agent was stopping");
    }
  }

  private static Guardian parse(List<String> arguments) {
    String mainClass = "io.quarry.agent.AgentMain";
    String config = null;
    Path pidDirectory = null;
    boolean restart = true;
    Duration pauseMax = RestartPauses.PAUSE_MAX;
    List<String> javaOptions = new ArrayList<>();
    String fromEnvironment = System.getenv().getOrDefault(JAVA_OPTIONS, "").strip();
    if (!fromEnvironment.isEmpty()) {
      javaOptions.addAll(List.of(fromEnvironment.split("\\s+")));
    }

    Iterator<String> words = arguments.iterator();
    while (words.hasNext()) {
      String word = words.next();
      switch (word) {
        case "--config" -> config = valueOf(word, words);
        case "--no-restart" -> restart = false;
        case "--pid-directory" -> pidDirectory = Path.of(valueOf(word, words));
        case "--java-option" -> javaOptions.add(valueOf(word, words));
        // Not in the usage: for tests.
        case "--agent-main" -> mainClass = valueOf(word, words);
        case "--restart-pause-max" -> pauseMax = pause(word, valueOf(word, words));
        default -> throw new IllegalArgumentException("Unknown argument: " + word);
      }
    }
    return new Guardian(
        new AgentCommand(mainClass, javaOptions, List.of("--config", required(config))),
        restart,
        new RestartPauses(pauseMax),
        pidDirectory);
  }

  private static String valueOf(String option, Iterator<String> words) {
    if (!words.hasNext()) {
      throw new IllegalArgumentException(option + " needs a value");
    }
    return words.next();
  }

  private static Duration pause(String option, String value) {
    try {
      return Duration.parse(value);
    } catch (DateTimeParseException wrong) {
      throw new IllegalArgumentException(option + " must be like PT1S, not " + value, wrong);
    }
  }

  private static String required(@Nullable String config) {
    if (config == null) {
      throw new IllegalArgumentException("--config FILE is missing");
    }
    return config;
  }
}
