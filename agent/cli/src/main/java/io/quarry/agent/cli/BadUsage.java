package io.quarry.agent.cli;

import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** A wrong call for which there is better advice than the help text. */
public final class BadUsage extends ParameterException {
  private static final long serialVersionUID = 1L;

  private final String remedy;

  public BadUsage(CommandLine command, String message, String remedy) {
    super(command, message);
    this.remedy = remedy;
  }

  String remedy() {
    return remedy;
  }
}
