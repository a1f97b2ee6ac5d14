package io.quarry.agent.cli;

import io.quarry.common.api.StorageApi;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that asks an agent and prints the answer. */
abstract class ApiCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  /** Returns the exit code. */
  abstract int run(StorageApi api, Output output);

  @Override
  public final Integer call() {
    return run(main().api(), main().output(spec.commandLine()));
  }

  final Main main() {
    return (Main) spec.root().userObject();
  }

  final ParameterException badUsage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
