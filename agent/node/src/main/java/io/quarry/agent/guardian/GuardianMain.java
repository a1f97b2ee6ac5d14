package io.quarry.agent.guardian;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
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
        --no-guardian         run the bare agent, without proof of its death (for debugging)
        --pid-directory DIR   write guardian.pid and agent.pid there
        --java-option OPTION  for the agent's JVM, like the environment's QUARRY_JAVA_OPTS
      Exit codes: 0 stopped, 1 failed, 2 bad usage, 78 the configuration cannot be used.
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
    } catch (NoSuchFileException missing) {
      System.err.println("error: there is no file " + missing.getFile());
      System.exit(ExitCode.CONFIGURATION);
      return;
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
    } finally {
      // Not exit(): the shutdown hook would wait for this thread. A living agent dies with its
      // guardian.
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

  private static Guardian parse(List<String> arguments) throws NoSuchFileException {
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
        // Not in the usage text: only for tests.
        case "--agent-main" -> mainClass = valueOf(word, words);
        case "--restart-pause-max" -> pauseMax = pause(word, valueOf(word, words));
        default -> throw new IllegalArgumentException("Unknown argument: " + word);
      }
    }
    return new Guardian(
        new AgentLaunch(mainClass, javaOptions, List.of("--config", existing(config))),
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

  /** The agent judges the file's content; without a file there is no agent to guard. */
  private static String existing(@Nullable String config) throws NoSuchFileException {
    if (config == null) {
      throw new IllegalArgumentException("--config FILE is missing");
    }
    if (Files.notExists(Path.of(config))) {
      throw new NoSuchFileException(config);
    }
    return config;
  }
}
