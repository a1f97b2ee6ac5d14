package io.quarry.agent.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the text of a command's {@code --help}. */
@Command(
    name = "help",
    description = "Prints the help of a command, like its --help.",
    footer = {"", "Example:", "  quarry help image upload"})
final class Help implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      arity = "0..*",
      paramLabel = "COMMAND",
      description = "Whose help. Default: quarry's own help.")
  private List<String> words = List.of();

  @Override
  public void run() {
    CommandLine command = spec.root().commandLine();
    for (String word : words) {
      CommandLine below = command.getSubcommands().get(word);
      if (below == null) {
        throw new ParameterException(
            spec.root().commandLine(),
            command.getSubcommands().isEmpty()
                ? "'%s' has no commands".formatted(command.getCommandSpec().qualifiedName())
                : UnknownCommand.message(command, word));
      }
      command = below;
    }
    command.usage(spec.commandLine().getOut());
    spec.commandLine().getOut().flush();
  }
}
