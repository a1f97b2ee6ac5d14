package io.quarry.agent.cli;

import io.quarry.agent.call.FakeStorage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;

/** Runs command lines against a storage in memory, as a user's shell would. */
public final class Console {
  private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");

  /** The output of a command, and its exit code. */
  public record Result(String out, String err, int exit) {}

  final FakeStorage storage = new FakeStorage();
  final List<List<URI>> asked = new ArrayList<>();
  final Map<String, String> environment;
  private final boolean terminal;
  private final List<Object> more;

  Console(boolean terminal, Map<String, String> environment) {
    this(terminal, environment, List.of());
  }

  /**
   * @param more commands than a host in production has
   */
  public Console(boolean terminal, Map<String, String> environment, List<Object> more) {
    this.more = more;
    this.terminal = terminal;
    this.environment = environment;
  }

  /**
   * Runs a line, which may be a pipeline of commands; standard error is that of the last command.
   */
  public Result run(String line) {
    Result result = new Result("", "", 0);
    for (String part : line.split(" \\| ", -1)) {
      result = run(words(part.strip()), result.out());
    }
    return result;
  }

  private Result run(List<String> words, String in) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exit =
        commandLine(in)
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(err))
            .execute(words.subList(1, words.size()).toArray(String[]::new));
    return new Result(out.toString(), err.toString(), exit);
  }

  /** The whole command line. */
  CommandLine commandLine() {
    return commandLine("");
  }

  private CommandLine commandLine(String in) {
    Shell shell =
        new Shell(
            agents -> {
              asked.add(agents);
              if (agents.toString().contains("nobody")) {
                throw new StorageException(
                    ErrorCode.AGENT_UNAVAILABLE,
                    "no agent answers",
                    agents.toString(),
                    "Check that an agent runs there.");
              }
              return storage;
            },
            environment,
            new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)),
            terminal,
            new FakeTime());
    return Main.commandLine(shell, more);
  }

  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher word = WORD.matcher(line);
    while (word.find()) {
      words.add(word.group(1) != null ? word.group(1) : word.group(2));
    }
    return words;
  }
}
