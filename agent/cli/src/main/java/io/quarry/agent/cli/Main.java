package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.io.PrintWriter;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The entry point of the command line: parses arguments and runs a command. */
@Command(
    name = "quarry",
    description = "Coordinates storage for VM disk images.",
    footer = {
      "",
      "Exit codes: 0 done, 1 failed, 2 bad usage, 3 timed out while waiting (the operation goes"
          + " on), 4 check --exit-code found something, 78 an agent's configuration cannot be"
          + " used.",
      "",
      "Example:",
      "  quarry image list main"
    },
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Main.Version.class,
    subcommands = {
      AgentCommand.class,
      RepoCommand.class,
      DiskCommand.class,
      SnapshotCommand.class,
      ImageCommand.class,
      OpenCommand.class,
      CheckCommand.class,
      FixCommand.class,
      QueueCommand.class,
      TaskCommand.class,
      RequestCommand.class,
      HostCommand.class,
      EventsCommand.class,
      ThrottleCommand.class,
      Completion.class,
      Help.class
    })
public final class Main implements Runnable {
  private static final String AGENTS_VARIABLE = "QUARRY_AGENTS";
  private static final String AGENT_DEFAULT = "http://127.0.0.1:7070";

  private final Shell shell;
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--agent",
      split = ",",
      paramLabel = "URL",
      scope = ScopeType.INHERIT,
      description =
          "Agents to ask, tried in turn. Default: $QUARRY_AGENTS, or " + AGENT_DEFAULT + ".")
  private List<String> agents = List.of();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      scope = ScopeType.INHERIT,
      description = "How to print answers: ${COMPLETION-CANDIDATES}. Default: table.")
  private Output.Format format = Output.Format.table;

  @Option(names = "--debug", hidden = true, scope = ScopeType.INHERIT)
  private boolean debug;

  Main(Shell shell) {
    this.shell = shell;
  }

  public static void main(String[] arguments) {
    run(List.of(), arguments);
  }

  /**
   * Runs the program with more commands than a host in production has.
   *
   * @param more commands as picocli takes them
   */
  public static void run(List<Object> more, String... arguments) {
    Locale.setDefault(Locale.ROOT);
    System.exit(commandLine(SystemShell.create(), more).execute(arguments));
  }

  /** Runs a command for a program that keeps the output; returns the exit code. */
  public static int run(PrintWriter out, PrintWriter err, String... arguments) {
    return commandLine(SystemShell.create(), List.of()).setOut(out).setErr(err).execute(arguments);
  }

  static CommandLine commandLine(Shell shell, List<Object> more) {
    Main main = new Main(shell);
    Errors errors = new Errors(main);
    CommandLine all = new CommandLine(main);
    more.forEach(all::addSubcommand);
    return all.setExecutionExceptionHandler(errors)
        .setParameterExceptionHandler(errors)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(shell.terminal());
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Name a command: " + UnknownCommand.names(spec.commandLine()) + ".");
  }

  Shell shell() {
    return shell;
  }

  /** Whether a person watches standard error. */
  public boolean terminal() {
    return shell.terminal();
  }

  /** A line on standard error, for work that a command does. */
  public ProgressLine progressLine(CommandLine command) {
    return new ProgressLine(command.getErr(), shell);
  }

  boolean debug() {
    return debug;
  }

  boolean json() {
    return format == Output.Format.json;
  }

  public Output output(CommandLine command) {
    return new Output(command.getOut(), command.getErr(), format);
  }

  /** The API of any of the agents that the caller named. */
  StorageApi api() {
    return api(addresses());
  }

  public StorageApi api(List<String> addresses) {
    return shell.connect().apply(addresses.stream().map(this::uri).toList());
  }

  /** Whether the caller named no agents. */
  boolean asksDefault() {
    return agents.isEmpty() && variable().isBlank();
  }

  private List<String> addresses() {
    if (!agents.isEmpty()) {
      return agents.stream().map(String::strip).filter(each -> !each.isEmpty()).toList();
    }
    return asksDefault()
        ? List.of(AGENT_DEFAULT)
        : Arrays.asList(variable().strip().split("[,\\s]+"));
  }

  private String variable() {
    return shell.environment().getOrDefault(AGENTS_VARIABLE, "");
  }

  private URI uri(String address) {
    try {
      URI uri = URI.create(address);
      if (uri.getHost() != null && List.of("http", "https").contains(uri.getScheme())) {
        return uri;
      }
    } catch (IllegalArgumentException e) {
      // Falls through: both mistakes get one answer.
    }
    throw new ParameterException(
        spec.commandLine(),
        "'" + address + "' is not the URL of an agent, such as " + AGENT_DEFAULT + ".");
  }

  /** The version that the build wrote into the jar. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"quarry " + (version == null ? "(not packaged)" : version)};
    }
  }
}
