package io.quarry.agent.cli;

import io.quarry.agent.AgentMain;
import io.quarry.agent.guardian.GuardianMain;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs an agent and its guardian until they end. */
@Command(
    name = "agent",
    description = {
      "Runs an agent until it is told to end.",
      "A small guardian starts it again when it ends by accident. The log goes to standard error."
    },
    footer = {"", "Example:", "  quarry agent --config /etc/quarry/agent.json"})
final class AgentCommand implements Callable<Integer> {
  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "The agent's configuration, JSON.")
  private Path config = Path.of("");

  @Option(
      names = "--no-guardian",
      description = "Run the agent without a guardian, which would prove its death. For debugging.")
  private boolean noGuardian;

  @Option(names = "--no-restart", description = "End with the agent, with its exit code.")
  private boolean noRestart;

  @Option(
      names = "--pid-directory",
      paramLabel = "DIR",
      description = "Write guardian.pid and agent.pid there.")
  private @Nullable Path pidDirectory;

  @Option(
      names = "--java-option",
      paramLabel = "OPTION",
      description = "For the agent's JVM, like $QUARRY_JAVA_OPTS. Repeatable.")
  private List<String> javaOptions = List.of();

  @Override
  public Integer call() throws Exception {
    if (noGuardian) {
      AgentMain.main(new String[] {"--config", config.toString()});
    } else {
      GuardianMain.main(guardianArguments().toArray(String[]::new));
    }
    return Exit.DONE;
  }

  private List<String> guardianArguments() {
    List<String> words = new ArrayList<>(List.of("--config", config.toString()));
    if (noRestart) {
      words.add("--no-restart");
    }
    if (pidDirectory != null) {
      words.addAll(List.of("--pid-directory", pidDirectory.toString()));
    }
    javaOptions.forEach(option -> words.addAll(List.of("--java-option", option)));
    return words;
  }
}
