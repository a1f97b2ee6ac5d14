package io.quarry.agent.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Prints the error, its subject and the remedy; a stack trace only on request. */
final class Errors implements IExecutionExceptionHandler, IParameterExceptionHandler {
  private static final Pattern NEGATIVE = Pattern.compile("-\\d[\\d.]*[A-Za-z]*");

  private final Main main;

  Errors(Main main) {
    this.main = main;
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    print(body(failure, command), command);
    if (main.debug()) {
      failure.printStackTrace(command.getErr());
      command.getErr().flush();
    }
    return Exit.FAILED;
  }

  @Override
  public int handleParseException(ParameterException failure, String[] arguments) {
    CommandLine command = failure.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    print(
        new ErrorBody(
            ErrorCode.INVALID_ARGUMENT, message(failure, arguments), name, remedy(failure, name)),
        command);
    return Exit.BAD_USAGE;
  }

  /**
   * An argument that begins with a dash looks like an option, but a size such as −5G is no option.
   */
  private static String message(ParameterException failure, String[] arguments) {
    for (String argument : arguments) {
      if (NEGATIVE.matcher(argument).matches()) {
        return "'" + argument + "' is negative; sizes, rates and counts are not.";
      }
    }
    return failure instanceof UnmatchedArgumentException unmatched && UnknownCommand.is(unmatched)
        ? UnknownCommand.message(unmatched)
        : String.valueOf(failure.getMessage());
  }

  private static String remedy(ParameterException failure, String name) {
    return switch (failure) {
      case BadUsage bad -> bad.remedy();
      case MissingParameterException missing ->
          "For example `%s`; see %s --help.".formatted(example(missing.getCommandLine()), name);
      default -> "See " + name + " --help.";
    };
  }

  /** The help of every command ends with an example. */
  private static String example(CommandLine command) {
    return Arrays.stream(command.getCommandSpec().usageMessage().footer())
        .filter(line -> line.startsWith("  quarry "))
        .findFirst()
        .orElseThrow()
        .strip();
  }

  private ErrorBody body(Exception failure, CommandLine command) {
    return failure instanceof StorageException known
        ? advised(known.body())
        : new ErrorBody(
            ErrorCode.INTERNAL,
            failure.getClass().getSimpleName() + ": " + failure.getMessage(),
            command.getCommandSpec().qualifiedName(),
            "Run it again with --debug and report what it prints.");
  }

  /** A caller that named no agent may not know the option for that. */
  private ErrorBody advised(ErrorBody body) {
    return body.code() == ErrorCode.AGENT_UNAVAILABLE && main.asksDefault()
        ? new ErrorBody(
            body.code(),
            body.message(),
            body.subject(),
            body.remedy()
                + " No agent was named, so this is the default one: name yours with --agent URL or"
                + " in QUARRY_AGENTS.")
        : body;
  }

  private void print(ErrorBody body, CommandLine command) {
    PrintWriter err = command.getErr();
    err.println(main.json() ? json(body) : text(body));
    err.flush();
  }

  static String text(ErrorBody body) {
    return "error: %s [%s]%n  about: %s%n  do: %s"
        .formatted(body.message(), body.code(), body.subject(), body.remedy());
  }

  private static String json(ErrorBody body) {
    try {
      return Json.MAPPER.writeValueAsString(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
