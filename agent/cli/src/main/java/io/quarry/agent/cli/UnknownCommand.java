package io.quarry.agent.cli;

import picocli.CommandLine;
import picocli.CommandLine.UnmatchedArgumentException;

/** The answer to an unknown command. */
final class UnknownCommand {
  private UnknownCommand() {}

  static boolean is(UnmatchedArgumentException failure) {
    return !failure.getCommandLine().getSubcommands().isEmpty()
        && !failure.getUnmatched().getFirst().startsWith("-");
  }

  static String message(UnmatchedArgumentException failure) {
    CommandLine command = failure.getCommandLine();
    String similar =
        failure.getSuggestions().stream()
            .filter(command.getSubcommands()::containsKey)
            .findFirst()
            .map(name -> ". Did you mean " + name + "?")
            .orElse("");
    return message(command, failure.getUnmatched().getFirst()) + similar;
  }

  static String message(CommandLine command, String word) {
    return "there is no command '%s' in '%s'; there are: %s"
        .formatted(word, command.getCommandSpec().qualifiedName(), names(command));
  }

  static String names(CommandLine command) {
    return String.join(", ", command.getSubcommands().keySet());
  }
}
